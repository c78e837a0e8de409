"""Who was erased, so that no later run of a day brings them back: STAGING_URI/suppression/<digest>.parquet, a file for each customer.

The list holds no ids but HMAC-SHA-256 digests of them: of the customer, and of their reviews, since a log names only its review. Its
key is SUPPRESSION_SECRET, or the secret that SUPPRESSION_SECRET_ID names. It is another key than that of the pseudonyms, which is
rotated: digests cannot be made again with a new key, as nobody has the ids any more. As long as nobody was erased no key is needed;
from then on a job without the right one refuses to start.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.fs import FileSelector

from spark_prep.contract import tables
from spark_prep.contract.object_store import replace, store_and_path
from spark_prep.errors import ConnectionLost, PreparationError
from spark_prep.keys import read_key
from spark_prep.spark.fields import integer

FOLDER = "suppression"
# Kinds of rows, beside those of tables.PERSON: the days that held the customer, and the key's own digest.
DAY, KEY = "day", "key"
NUMBER = re.compile(rb"-?[0-9]+")
# A number that fills a field of a line.
FIELD = re.compile(rb'(?m)(?:^|,)[ \t\r"]*+(\+?[0-9]++)[ \t\r"]*+(?=,|$)')


class Suppression(NamedTuple):
    """Who was erased, as digests. It goes to the workers of a job, and holds no key."""

    digests: frozenset[str]
    secret_id: str


NOBODY = Suppression(frozenset(), "")


def read_suppression(staging_uri: str) -> Suppression:
    """Everybody who was erased.

    Raises PreparationError when there is somebody and the key is missing, or is not the one that the list was made with.
    """
    rows = [row for file in _files(staging_uri) for row in _read(staging_uri, file)]
    if not rows:
        return NOBODY
    secret_id = _secret_id()
    if {row["value"] for row in rows if row["kind"] == KEY} != {digest(KEY, KEY, secret_id)}:
        raise PreparationError(
            f"{staging_uri}/{FOLDER} was made with another key than SUPPRESSION_SECRET (SUPPRESSION_SECRET_ID), so nobody can tell whom to "
            "leave out; set the key with which customers were erased"
        )
    return Suppression(
        frozenset(row["value"] for row in rows if row["kind"] in tables.PERSON_KINDS), secret_id
    )


def require_nobody_erased_since(suppression: Suppression, staging_uri: str) -> None:
    """Raise ConnectionLost, since another try will do, if the list is not what it was when a job began. A job asks before it commits, so
    that it brings nobody back, and after: an erasure in between has taken the job's files for what a killed run has left."""
    if read_suppression(staging_uri) != suppression:
        raise ConnectionLost(
            "a customer was erased meanwhile, and perhaps not from what this job has written: run these days again"
        )


def suppress_customer(
    staging_uri: str, customer: int, reviews: Iterable[int], days: Iterable[date]
) -> list[date]:
    """Put a customer and their reviews on the list. Returns the days that held them, those of earlier tries included, in order."""
    read_suppression(staging_uri)  # refuses another key
    secret_id = _secret_id()
    name = f"{FOLDER}/{digest(tables.CUSTOMER, customer, secret_id)}.parquet"
    known = {(row["kind"], row["value"]) for row in _read(staging_uri, name)}
    known |= {
        (KEY, digest(KEY, KEY, secret_id)),
        (tables.CUSTOMER, digest(tables.CUSTOMER, customer, secret_id)),
    }
    known |= {(tables.REVIEW, digest(tables.REVIEW, review, secret_id)) for review in reviews}
    known |= {(DAY, str(day)) for day in days}
    rows = [{"kind": kind, "value": value} for kind, value in sorted(known)]
    content = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=tables.SUPPRESSION), content)
    replace(staging_uri, name, content.getvalue())
    return sorted(date.fromisoformat(value) for kind, value in known if kind == DAY)


def is_suppressed(ids: pa.Array | pa.ChunkedArray, kind: str, suppression: Suppression) -> pa.Array:
    """For each id (an integer) whether it was erased; false for NULL."""
    distinct = pc.unique(ids).to_pylist()
    erased = [
        value
        for value in distinct
        if value is not None and digest(kind, value, suppression.secret_id) in suppression.digests
    ]
    found = pc.is_in(ids, value_set=pa.array(erased, ids.type))
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def names_suppressed(table: str, raw: bytes, record_id: str | None, suppression: Suppression) -> bool:
    """Whether a record that cannot be read is of somebody who was erased."""
    return any(
        digest(kind, id_, suppression.secret_id) in suppression.digests
        for kind, id_ in named(table, raw, record_id)
    )


def named(table: str, raw: bytes, record_id: str | None) -> set[tuple[str, int]]:
    """Kind and id of whom a vendor's record that cannot be read may be of: by its id, by any number in a review's text, by a number that
    fills a field of a log. However the number is written, with zeros before it or, since a file of another encoding cannot be read, in UTF-16."""
    text = raw.replace(b"\0", b"")
    if tables.PERSON[table].kind == tables.CUSTOMER:
        # with its sign, and without: before a number may be a dash
        found = [(tables.CUSTOMER, number) for at in NUMBER.findall(text) for number in {at, at.lstrip(b"-")}]
    else:
        found = [(tables.REVIEW, number) for number in FIELD.findall(text)]
    ids = {(kind, integer(number.decode())) for kind, number in found}
    ids.add((tables.REVIEW, integer(record_id or "")))
    return {(kind, id_) for kind, id_ in ids if id_ is not None}


def digest(kind: str, id_: int | str, secret_id: str) -> str:
    """An id is another text for each kind, so that a customer and a review of the same number have nothing in common."""
    key = read_key("SUPPRESSION_SECRET", secret_id)
    return hmac.new(key, f"{kind}:{id_}".encode(), "sha256").hexdigest()


def require_key() -> None:
    """Raise a PreparationError unless there is a key that can serve as one."""
    read_key("SUPPRESSION_SECRET", _secret_id())


def _secret_id() -> str:
    return os.environ.get("SUPPRESSION_SECRET_ID", "").strip()


def _files(staging_uri: str) -> list[str]:
    store, path = store_and_path(staging_uri)
    found = store.get_file_info(FileSelector(f"{path}/{FOLDER}", allow_not_found=True))
    return sorted(f"{FOLDER}/{file.base_name}" for file in found if file.base_name.endswith(".parquet"))


def _read(staging_uri: str, name: str) -> list[dict[str, str]]:
    store, path = store_and_path(staging_uri)
    try:
        with store.open_input_file(f"{path}/{name}") as file:
            rows: list[dict[str, str]] = pq.ParquetFile(file).read().to_pylist()
    except FileNotFoundError:
        return []
    return rows
