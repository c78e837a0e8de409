"""Keyed pseudonyms of personal data: HMAC-SHA-256, so that nobody without the key can try out all phone numbers.

The key is read from the environment of the Python worker, at the moment of use. It is in no closure, literal or Spark
setting of this project, hence in no plan, event log or command line. On a cluster the workers' environment gets it
from the secret store.
"""

from __future__ import annotations

import hmac
import os

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_prep.errors import PreparationError

SHORTEST_KEY = 16


def pseudonym(value: Column) -> Column:
    """The hex digest (64 characters) of the trimmed value; NULL for NULL and blank values."""
    return F.udf(hmac_sha256, "string", useArrow=False)(value)


def hmac_sha256(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    return hmac.digest(_key(), value.strip().encode(), "sha256").hex()


def require_key() -> None:
    """Raise a PreparationError unless PSEUDONYM_SECRET can serve as a key."""
    _key()


def key_version() -> str:
    """The name that is written beside each pseudonym, so that keys can be rotated."""
    return os.environ.get("PSEUDONYM_KEY_VERSION", "").strip() or "1"


def _key() -> bytes:
    key = os.environ.get("PSEUDONYM_SECRET", "").strip()
    if len(key) < SHORTEST_KEY:
        raise PreparationError(
            f"PSEUDONYM_SECRET has {len(key)} characters, a key needs {SHORTEST_KEY} or more: "
            "make one with `openssl rand -hex 32` and keep it in the secret store"
        )
    return key.encode()
