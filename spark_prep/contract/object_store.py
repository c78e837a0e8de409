"""Files by their URI: local folders, S3 and Cloud Storage, through Arrow's file systems."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import pyarrow as pa
from pyarrow.fs import FileSystem

from spark_prep.errors import PreparationError
from spark_prep.settings import is_local


# Opening a bucket costs requests, so each root is opened once in a process.
@cache
def store_and_path(location: str) -> tuple[FileSystem, str]:
    """Arrow's file system of a URI or an absolute local path, and the path in it."""
    # Arrow knows S3 by this scheme only
    store, path = FileSystem.from_uri(location.replace("s3a://", "s3://", 1))
    return store, path


@contextmanager
def create(root: str, name: str) -> Iterator[pa.NativeFile]:
    """The file <root>/<name>, to be written. A reader gets the old one, or the new one once it is whole; in an object store also what
    was written of it when an exception ended the block, so what is overwritten there goes by `replace`."""
    store, path = store_and_path(root)
    target = f"{path}/{name}"
    if not is_local(root):
        # which shows an object when its upload is complete
        with store.open_output_stream(target) as file:
            yield file
        return
    # Renamed when it is whole; no reader looks for it under this name.
    aside = f"{target}.{secrets.token_hex(4)}"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        with store.open_output_stream(aside) as file:
            yield file
        os.replace(aside, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(aside)
        raise


def replace(root: str, name: str, content: pa.Buffer) -> None:
    """Make this the content of <root>/<name>, in one step."""
    with create(root, name) as file:
        file.write(content)


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
