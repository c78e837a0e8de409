"""The raw records of quarantine are encrypted: the columns raw_record and raw_bytes of its files, by Parquet's own encryption.

Arrow encrypts them (AES-GCM) with a random key for each file, which lies in the file, encrypted in turn: by QUARANTINE_SECRET, or on a
cluster by the key of AWS KMS or Cloud KMS that QUARANTINE_KEY_ID names, which no process ever gets to see. The file says which of
the two it was. All other columns (reason, file, record_id, fields) can be read without a key.

QUARANTINE_SECRET may be several keys, separated by commas: the first encrypts, the others read what was encrypted with them before. If
QUARANTINE_KEY_ID is set too, it encrypts, and all of QUARANTINE_SECRET only reads.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.parquet.encryption import (
    CryptoFactory,
    DecryptionConfiguration,
    EncryptionConfiguration,
    KmsClient,
    KmsConnectionConfig,
)

from spark_prep.contract.object_store import store_and_path
from spark_prep.errors import ConnectionLost, PreparationError
from spark_prep.keys import SHORTEST_KEY, decrypt_key, encrypt_key, is_cloud_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ENCRYPTED = ("raw_record", "raw_bytes")
SECRET = "QUARANTINE_SECRET"  # noqa: S105 - the name of the setting, and in a file that of the key
NONCE_BYTES = 12


def key_id() -> str:
    """QUARANTINE_KEY_ID, which travels with a job since a worker has no such variable; empty when QUARANTINE_SECRET is the key.

    Raises PreparationError when neither is set, or what is set can be no key.
    """
    id_ = os.environ.get("QUARANTINE_KEY_ID", "").strip()
    if not id_:
        _secrets()
    elif not is_cloud_key(id_):
        raise PreparationError(
            f"QUARANTINE_KEY_ID is {id_!r}; write arn:aws:kms:REGION:ACCOUNT:key/ID or "
            "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY"
        )
    return id_


def rejected_writer(file: pa.NativeFile, schema: pa.Schema, key_id: str) -> pq.ParquetWriter:
    """A writer of rejected records. Raises PreparationError when the key cannot be used."""
    # a colon would end the name
    name = quote(key_id) or SECRET
    configuration = EncryptionConfiguration(
        footer_key=name,
        column_keys={name: [*ENCRYPTED]},
        encryption_algorithm="AES_GCM_V1",
        plaintext_footer=True,
        data_key_length_bits=256,
    )
    properties = _factory(os.environ.get(SECRET, "")).file_encryption_properties(
        KmsConnectionConfig(), configuration
    )
    return pq.ParquetWriter(file, schema, encryption_properties=properties)


def parquet_file(file: pa.NativeFile) -> pq.ParquetFile:
    """A file of staging or quarantine, to be read. One that is encrypted needs its key to be opened, whatever is read of it."""
    properties = _factory(os.environ.get(SECRET, "")).file_decryption_properties(
        KmsConnectionConfig(), DecryptionConfiguration()
    )
    return pq.ParquetFile(file, decryption_properties=properties)


def batches_of(file: pq.ParquetFile, rows: int = 65536) -> Iterator[pa.RecordBatch]:
    """Its content, in batches of so many rows. Arrow 18, which Glue has, cannot read a file without a row group, one of no rows."""
    return file.iter_batches(rows) if file.num_row_groups else iter(())


def read_batches(root: str, path: str, rows: int = 65536) -> Iterator[pa.RecordBatch]:
    """The content of a file of staging or quarantine, in batches of so many rows.

    Raises PreparationError when the file is encrypted and its key is missing, is another one, or does not fit what the file has
    become; pa.ArrowInvalid when it is no whole Parquet file.
    """
    store, _ = store_and_path(root)
    with store.open_input_file(path) as file:
        try:
            yield from batches_of(parquet_file(file), rows)
        except ConnectionLost as error:
            raise ConnectionLost(f"{path} cannot be decrypted: {error}") from error
        except PreparationError as error:
            raise PreparationError(
                f"{path} cannot be decrypted: {error}; only if its key is lost for good, delete this file "
                "(airflow/RUNBOOK.md, Read rejected records)"
            ) from error
        except pa.ArrowInvalid as error:
            raise pa.ArrowInvalid(f"{path}: {error}") from error
        except OSError as error:
            if "decrypt" not in str(error):
                raise
            raise PreparationError(
                f"{path} cannot be decrypted, though its key is right: the file was changed or is damaged; run its day again"
            ) from error


class _Keys(KmsClient):  # type: ignore[misc]  # pyarrow has no types
    """Encrypts and decrypts the keys of files, as pyarrow asks for it."""

    def __init__(self, _: KmsConnectionConfig) -> None:
        super().__init__()

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> str:
        if master_key_identifier != SECRET:
            encrypted = encrypt_key(key_bytes, unquote(master_key_identifier))
        else:
            nonce = secrets.token_bytes(NONCE_BYTES)
            encrypted = nonce + _cipher(_secrets()[0]).encrypt(nonce, key_bytes, None)
        return base64.b64encode(encrypted).decode()

    def unwrap_key(self, wrapped_key: str, master_key_identifier: str) -> bytes:
        encrypted = base64.b64decode(wrapped_key)
        if master_key_identifier != SECRET:
            key_id = unquote(master_key_identifier)
            if not is_cloud_key(key_id):
                raise PreparationError(f"a file of quarantine names a key that is none: {key_id!r:.100}")
            return decrypt_key(encrypted, key_id)
        from cryptography.exceptions import InvalidTag

        for secret in _secrets():
            try:
                return _cipher(secret).decrypt(encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:], None)
            except InvalidTag:
                continue
        raise PreparationError(
            f"it was encrypted with another key than {SECRET}; add the one that was set when its day ran, after a comma"
        )


# Asking a key service costs time, so the key of the files' keys is kept for ten minutes: one for each value of the secret.
@cache
def _factory(_: str) -> CryptoFactory:
    return CryptoFactory(_Keys)


def _secrets() -> list[str]:
    given = [secret.strip() for secret in os.environ.get(SECRET, "").split(",")]
    for secret in given:
        if len(secret) < SHORTEST_KEY:
            raise PreparationError(
                f"{SECRET} has {len(secret)} characters, a key needs {SHORTEST_KEY} or more: it encrypts the raw records of quarantine; "
                "make one with `openssl rand -hex 32` and keep it in the secret store"
            )
    return given


@cache
def _cipher(secret: str) -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError as error:
        raise PreparationError(
            f"{SECRET} needs the package cryptography, which this Python does not have; install it, or on a cluster set QUARANTINE_KEY_ID"
        ) from error
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"quarantine").derive(secret.encode()))
