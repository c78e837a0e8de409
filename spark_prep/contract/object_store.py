"""Files by their URI, for what needs no Spark."""

import os

import pyarrow as pa
from pyarrow.fs import FileSystem

from spark_prep.errors import PreparationError
from spark_prep.settings import is_local


def store_and_path(location: str) -> tuple[FileSystem, str]:
    """Arrow's file system of a URI or an absolute local path, and the path in it."""
    # Arrow knows S3 by this scheme only
    store, path = FileSystem.from_uri(location.replace("s3a://", "s3://", 1))
    return store, path


def require_writable(settings: dict[str, str], *names: str) -> None:
    """Raise PreparationError for a setting that names a place where nothing can be written, before anything is."""
    for name in names:
        location = settings[name]
        try:
            if not is_local(location):
                # of a store that Arrow knows, only the store itself can say, when it is asked to write
                if not location.startswith(("s3://", "s3a://", "gs://")):
                    store_and_path(location)
                continue
            os.makedirs(location, exist_ok=True)
            if not os.access(location, os.W_OK | os.X_OK):
                raise PermissionError("Permission denied")
        except (OSError, pa.ArrowException) as error:
            reason = (
                error.strerror
                if isinstance(error, OSError) and error.strerror
                else " ".join(str(error).split())
            )
            raise PreparationError(
                f"{name} is {location}, where nothing can be written: {reason}; correct it, or the rights on it"
            ) from error
