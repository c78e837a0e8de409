"""Keyed pseudonyms of personal data: HMAC-SHA-256, so that no one without the key can try out all phone numbers.

The key is PSEUDONYM_SECRET in the environment of the Python worker, or on a cluster the secret of the cloud's secret
store that PSEUDONYM_SECRET_ID names. Each worker reads it at the moment of use: only the name travels with a job, the
key is in no closure, literal or Spark setting of this project, hence in no plan, event log or command line.
"""

from __future__ import annotations

import hmac
import os
from urllib.parse import quote

import pyarrow as pa

from spark_prep.contract.object_store import replace, require_writable, store_and_path
from spark_prep.errors import PreparationError, not_done
from spark_prep.keys import read_key

FOLDER = "pseudonym_key"


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


def require_same_key(settings: dict[str, str]) -> None:
    """Raise a PreparationError if this version of the key was another key before: their pseudonyms could not be told apart, and nobody would
    know. STAGING_URI/pseudonym_key/<version> has a digest by the first key of that version. A secret of a cloud's store is the deployment's,
    which makes each version once, and Spark may not write there."""
    if secret_id():
        return
    require_writable(settings, "STAGING_URI")
    staging_uri, version = settings["STAGING_URI"], key_version()
    name = f"{FOLDER}/{quote(version, safe='')}"
    digest = hmac.new(read_key("PSEUDONYM_SECRET", ""), f"version {version}".encode(), "sha256").hexdigest()
    store, path = store_and_path(staging_uri)
    try:
        try:
            with store.open_input_stream(f"{path}/{name}") as file:
                known = file.read().decode()
        except FileNotFoundError:
            replace(staging_uri, name, pa.py_buffer(digest.encode()))
            return
    except (OSError, pa.ArrowException) as error:
        raise not_done(f"{staging_uri}/{name} cannot be read or written", error) from error
    if known != digest:
        raise PreparationError(
            f"PSEUDONYM_SECRET is another key than version {version} was: raise PSEUDONYM_KEY_VERSION with a new key, or set the key of that "
            "version (airflow/RUNBOOK.md, Rotate the pseudonym key)"
        )


def key_version() -> str:
    """The name that is written beside each pseudonym, so that keys can be rotated."""
    return os.environ.get("PSEUDONYM_KEY_VERSION", "").strip() or "1"


def secret_id() -> str:
    """Which secret of the cloud's secret store holds the key; empty when PSEUDONYM_SECRET is the key."""
    return os.environ.get("PSEUDONYM_SECRET_ID", "").strip()
