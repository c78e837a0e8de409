"""Labelled reviews: the vendor's file, read as the job reads it, beside a file of labels."""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spark_prep.contract.object_store import store_and_path
from spark_prep.errors import PreparationError, not_done
from spark_prep.reviews.classifiers.classification import Classification
from spark_prep.reviews.classifiers.ngrams import slots_of
from spark_prep.reviews.classify_reviews import MOVIE_REVIEW, classify
from spark_prep.spark.csv_records import Block
from spark_prep.spark.fields import texts
from spark_prep.spark.pieces import File, Piece, Report, read_piece

LABELS = {"pos": True, "1": True, "neg": False, "0": False}
FEWEST_LABELS = 200
FEWEST_OF_EACH = 20
ID, LABEL = "id_review", "label"
# Of digits, more than any id has: Python refuses to read thousands of them.
LONGEST_ID = 40
# The column that blocks are made by may also be the customer's id, which the reviews have.
CUSTOMER = "cid"


class Labels(NamedTuple):
    """By id_review: whether the review is positive, and its value of the column that blocks are made by ({} without one)."""

    is_positive: dict[int, bool]
    groups: dict[int, str]


class Labelled(NamedTuple):
    """The reviews that have a label, in the order of their file: their ids; whether they are positive; their values of the column that
    blocks are made by, or None; their n-grams as pairs (place of the review, slot), ordered.

    left_out is why → how many records or labels are not among them; fingerprint the SHA-256 of the reviews' and the labels' file."""

    ids: np.ndarray
    is_positive: np.ndarray
    groups: list[str] | None
    places: np.ndarray
    slots: np.ndarray
    left_out: dict[str, int]
    fingerprint: dict[str, str]


def add_labelled_options(parser: argparse.ArgumentParser) -> None:
    """--reviews and --labels."""
    parser.add_argument(
        "--reviews",
        metavar="FILE",
        required=True,
        help="reviews in the vendor's format: cid,review_str,id_review",
    )
    parser.add_argument(
        "--labels",
        metavar="FILE",
        required=True,
        help="CSV with the columns id_review and label (pos or neg, 1 or 0)",
    )


def read_labelled(reviews_uri: str, labels_uri: str, blocks_by: str | None = None) -> Labelled:
    """Raises PreparationError for a file that cannot be read, a label that is none, and too few labelled reviews to learn from."""
    labels = read_labels(labels_uri, blocks_by)
    left_out: Counter[str] = Counter()
    ids: dict[int, int] = {}
    groups: list[str] = []
    pairs = [np.empty((2, 0), np.int32)]
    for reviews in good_reviews(reviews_uri, left_out):
        first, rows = len(ids), []
        for row, (id_, customer) in enumerate(zip(reviews["review_id"], reviews["customer_id"], strict=True)):
            if id_ not in labels.is_positive:
                left_out["reviews without a label"] += 1
            elif id_ in ids:
                left_out["reviews whose id came before"] += 1
            else:
                ids[id_] = len(ids)
                rows.append(row)
                groups.append(str(customer) if blocks_by == CUSTOMER else labels.groups.get(id_, ""))
        places, slots = slots_of(reviews["text"].take(pa.array(rows, pa.int64())))
        pairs.append(np.stack((places + first, slots)).astype(np.int32))
    left_out["labels without a review"] = len(labels.is_positive) - len(ids)
    is_positive = np.array([labels.is_positive[id_] for id_ in ids], bool)
    _require_enough(is_positive, left_out)
    places, slots = np.concatenate(pairs, axis=1)
    return Labelled(
        ids=np.array([*ids], np.int64),
        is_positive=is_positive,
        groups=groups if blocks_by else None,
        places=places,
        slots=slots,
        left_out={why: count for why, count in left_out.items() if count},
        fingerprint={"reviews": _sha256(reviews_uri), "labels": _sha256(labels_uri)},
    )


def texts_of(reviews_uri: str, ids: Iterable[int]) -> dict[int, str]:
    """The texts of a few reviews, by id: read again, since nothing keeps the texts of all of them."""
    wanted = pa.array(ids, pa.int32())
    found: dict[int, str] = {}
    for reviews in good_reviews(reviews_uri, Counter()):
        rows = pc.indices_nonzero(pc.is_in(pa.array(reviews["review_id"], pa.int32()), wanted)).to_pylist()
        for row in rows:
            found.setdefault(reviews["review_id"][row], reviews["text"][row].as_py())
    return found


def read_labels(uri: str, blocks_by: str | None = None) -> Labels:
    """From a CSV file with the columns id_review and label: pos or 1, neg or 0. Raises PreparationError for anything else, with its line."""
    groups_column = None if blocks_by == CUSTOMER else blocks_by
    try:
        rows = csv.DictReader(io.StringIO(_content(uri).decode("utf-8-sig"), newline=""))
        missing = [
            name for name in (ID, LABEL, groups_column) if name and name not in (rows.fieldnames or ())
        ]
        if missing:
            raise PreparationError(
                f"{uri} has no column {' and no column '.join(missing)}; its first line is to name {ID},{LABEL}"
            )
        names = [*(rows.fieldnames or ())]
        if twice := [name for name in (ID, LABEL, groups_column) if names.count(name or "") > 1 and name]:
            raise PreparationError(f"{uri} has the column {twice[0]} twice: which of the two counts?")
        labels = Labels({}, {})
        for row in rows:
            where = f"{uri}, line {rows.line_num}"
            id_, label = (row[ID] or "").strip(), (row[LABEL] or "").strip().lower()
            if not id_.isdecimal() or len(id_) > LONGEST_ID:
                raise PreparationError(f"{where}: the {ID} {id_[: LONGEST_ID + 1]!r} is no number")
            if label not in LABELS:
                raise PreparationError(f"{where}: the {LABEL} is {label!r}; write pos or neg, or 1 or 0")
            if labels.is_positive.setdefault(int(id_), LABELS[label]) != LABELS[label]:
                raise PreparationError(
                    f"{where}: the review {id_} was given the other label before; keep one of them"
                )
            if groups_column:
                labels.groups[int(id_)] = row[groups_column] or ""
        return labels
    except (UnicodeDecodeError, csv.Error) as error:
        raise PreparationError(f"{uri} cannot be read as CSV in UTF-8: {error}") from error


def good_reviews(uri: str, left_out: Counter[str]) -> Iterator[dict[str, Any]]:
    """Of each block of the file, the records that the job would stage, as columns: review_id and customer_id as lists, text in Arrow. Why
    others would be rejected is counted in left_out."""
    for block in _blocks(uri):
        left_out.update(f"quarantined: {rejected.reason}" for rejected in block.rejected)
        table = classify(block.fields, _nothing)
        reasons = table.column("reason")
        left_out.update(f"quarantined: {reason}" for reason in reasons.to_pylist() if reason)
        good = pc.is_null(reasons)
        yield {
            "review_id": table.column("review_id").filter(good).to_pylist(),
            "customer_id": table.column("customer_id").filter(good).to_pylist(),
            "text": texts(block.fields.column("review_str").combine_chunks()).filter(good.combine_chunks()),
        }


def _nothing(reviews: pa.Array) -> Classification:
    """In the place of a classifier, where only the other columns are wanted."""
    return Classification(pa.nulls(len(reviews), pa.int32()), pa.nulls(len(reviews), pa.float64()), "", "")


def _blocks(uri: str) -> Iterator[Block]:
    try:
        store, path = store_and_path(uri)
        size = store.get_file_info(path).size
        if size is None:
            raise FileNotFoundError("there is no such file")
        # training asks for no day
        file = File(date.min, uri, posixpath.dirname(uri), path, size)
        for block in read_piece(Piece(file, 0, size), MOVIE_REVIEW.columns):
            if not isinstance(block, Report):
                yield block
    except (OSError, pa.ArrowException) as error:
        raise not_done(f"{uri} cannot be read", error) from error


def _content(uri: str) -> bytes:
    """Of a file that may be compressed."""
    try:
        store, path = store_and_path(uri)
        with store.open_input_stream(path) as file:
            content: bytes = file.read()
            return content
    except (OSError, pa.ArrowException) as error:
        raise not_done(f"{uri} cannot be read", error) from error


def _sha256(uri: str) -> str:
    store, path = store_and_path(uri)
    with store.open_input_stream(path, compression=None) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_enough(is_positive: np.ndarray, left_out: dict[str, int]) -> None:
    positive = int(is_positive.sum())
    negative = len(is_positive) - positive
    if len(is_positive) >= FEWEST_LABELS and min(positive, negative) >= FEWEST_OF_EACH:
        return
    others = "".join(f"; {count} {why}" for why, count in left_out.items() if count)
    raise PreparationError(
        f"too few labelled reviews to learn from: {positive} positive and {negative} negative, where {FEWEST_LABELS} are needed, at least "
        f"{FEWEST_OF_EACH} of each{others}. Label more"
    )
