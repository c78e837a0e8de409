"""Files by their URI, for what needs no Spark."""

from pyarrow.fs import FileSystem


def store_and_path(location: str) -> tuple[FileSystem, str]:
    """Arrow's file system of a URI or an absolute local path, and the path in it."""
    # Arrow knows S3 by this scheme only
    store, path = FileSystem.from_uri(location.replace("s3a://", "s3://", 1))
    return store, path
