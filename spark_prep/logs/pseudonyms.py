"""Keyed pseudonyms of personal data: HMAC-SHA-256, so that no one without the key can try out all phone numbers.

The key is PSEUDONYM_SECRET in the environment of the Python worker, or on a cluster the secret of the cloud's secret
store that PSEUDONYM_SECRET_ID names. Each worker reads it at the moment of use: only the name travels with a job, the
key is in no closure, literal or Spark setting of this project, hence in no plan, event log or command line.
"""

from __future__ import annotations

import hmac
import os

import pyarrow as pa

from spark_prep.errors import PreparationError
from spark_prep.keys import read_key


def pseudonyms(values: pa.Array, secret_id: str) -> pa.Array:
    """Of strings: the hex digest (64 characters) of each trimmed value; NULL for NULL and blank values. `secret_id` is
    secret_id() as the driver has it, since a worker has no such variable."""
    keyed = hmac.new(read_key("PSEUDONYM_SECRET", secret_id), digestmod="sha256")
    distinct = values.dictionary_encode()
    digests = [_digest(value, keyed) for value in distinct.dictionary.to_pylist()]
    return pa.array(digests, pa.string()).take(distinct.indices)


def _digest(text: str, keyed: hmac.HMAC) -> str | None:
    if not text.strip():
        return None
    # a copy has the key's part of the work behind it
    digest = keyed.copy()
    digest.update(text.strip().encode())
    return digest.hexdigest()


def require_key() -> None:
    """Raise a PreparationError unless there is one key, and it can serve as a key."""
    id_ = secret_id()
    if id_ and os.environ.get("PSEUDONYM_SECRET", "").strip():
        raise PreparationError(
            "PSEUDONYM_SECRET and PSEUDONYM_SECRET_ID are both set; keep the one that is meant"
        )
    read_key("PSEUDONYM_SECRET", id_)


def key_version() -> str:
    """The name that is written beside each pseudonym, so that keys can be rotated."""
    return os.environ.get("PSEUDONYM_KEY_VERSION", "").strip() or "1"


def secret_id() -> str:
    """Which secret of the cloud's secret store holds the key; empty when PSEUDONYM_SECRET is the key."""
    return os.environ.get("PSEUDONYM_SECRET_ID", "").strip()
