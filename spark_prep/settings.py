"""The settings of a run, from environment variables."""

from __future__ import annotations

import os
import re

from spark_prep.errors import PreparationError

PURPOSES = {
    "RAW_URI": "where the vendors' files arrive",
    "STAGING_URI": "where the staging tables are written",
    "QUARANTINE_URI": "where rejected records are kept",
    "USER_PURCHASE_DSN": "how to connect to the shop's PostgreSQL",
    "START_DATE": "the first day of the pipeline; its run takes all purchases up to the end of that day",
}


def read_settings(*names: str) -> dict[str, str]:
    """The named settings, all present; a *_URI is a URI of an object store or an absolute local path.

    Raises PreparationError with a line for each setting that is missing or blank, for a URI like s3:/bucket, and when
    QUARANTINE_URI is STAGING_URI.
    """
    missing = [name for name in names if not os.environ.get(name, "").strip()]
    if missing:
        lines = [
            f"{name} is not set: {PURPOSES[name]}. Set it in the environment (see .env.example)."
            for name in missing
        ]
        raise PreparationError("\n       ".join(lines))
    values = {name: os.environ[name].strip() for name in names}
    settings = {
        name: location(name, value) if name.endswith("_URI") else value for name, value in values.items()
    }
    if "QUARANTINE_URI" in settings and settings["QUARANTINE_URI"] == settings.get("STAGING_URI"):
        raise PreparationError(
            "STAGING_URI and QUARANTINE_URI name one place; keep raw records apart from staging"
        )
    return settings


def location(name: str, uri: str) -> str:
    """The URI that a setting gives as it is used. Raises PreparationError for one like s3:/bucket."""
    # else it would be a folder of that name, here
    if not uri.startswith("file:") and re.match("[A-Za-z][A-Za-z0-9+.-]+:/(?!/)", uri):
        raise PreparationError(
            f"{name} is {uri!r}; write {uri.replace(':/', '://', 1)!r}, or an absolute path"
        )
    if uri.startswith("file:"):
        uri = "/" + uri.removeprefix("file:").lstrip("/")
    return uri.rstrip("/") if "://" in uri else os.path.abspath(os.path.expanduser(uri))


def is_local(location: str) -> bool:
    return location.startswith("/")
