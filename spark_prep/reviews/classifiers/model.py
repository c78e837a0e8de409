"""The classifier `model`: words, pairs and triples of words, each with a weight that was learnt from labelled reviews.

A model is a folder that `python -m spark_prep.reviews.train` writes: weights.parquet (slot, weight, ordered by slot), card.json (what is
needed to read the weights, and how often they are right), card.md (the same for people). Nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import struct
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spark_prep.contract.object_store import create, store_and_path
from spark_prep.errors import PreparationError, not_done
from spark_prep.reviews.classifiers.classification import Classification
from spark_prep.reviews.classifiers.ngrams import SLOTS, slots_of

# Of the folder, and of what a slot means (ngrams.py): a model of another version cannot be used.
FORMAT_VERSION = 1
CARD, WEIGHTS = "card.json", "weights.parquet"
SCHEMA = pa.schema(
    [pa.field("slot", pa.int32(), nullable=False), pa.field("weight", pa.float32(), nullable=False)]
)
POSITIVE_FROM = 0.5
# Of a score. More would differ between kinds of processors, and be nothing that a model can know.
DECIMALS = 6


class Model:
    """The slots that have a weight, in ascending order, their weights, and what a text without any of them weighs.

    It is this that is sent to the workers, once (Spark broadcasts a function of more than 1 MB): a few MB. Each lays the weights out by
    slot, 16 MB: to take a weight from its place is several times as fast as to look for it among a million.
    """

    def __init__(self, slots: np.ndarray, weights: np.ndarray, intercept: float):
        self.slots, self.weights, self.intercept = slots, weights, intercept

    @cached_property
    def version(self) -> str:
        """Of the content: the same weights have the same version wherever the folder is."""
        content = hashlib.sha256(struct.pack("<qd", FORMAT_VERSION, self.intercept))
        content.update(self.slots.astype("<i4").tobytes())
        content.update(self.weights.astype("<f4").tobytes())
        return f"{FORMAT_VERSION}-{content.hexdigest()[:16]}"

    @cached_property
    def by_slot(self) -> np.ndarray:
        weights = np.zeros(SLOTS, np.float32)
        weights[self.slots] = self.weights
        return weights

    def __reduce__(self) -> tuple[Any, ...]:
        # without what is derived
        return Model, (self.slots, self.weights, self.intercept)

    def read(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Of each text the sum of its weights, in the order of its slots: the same however the texts come in batches; and the share of its
        n-grams that have no weight, NaN without any."""
        places, slots = slots_of(texts)
        weights = self.by_slot[slots]
        margins = np.bincount(places, weights, minlength=len(texts)) + self.intercept
        return margins, unknown_share(places, weights == 0, len(texts))


def model(reviews: pa.Array, weights: Model) -> Classification:
    """The score is the probability that a review is positive; it is positive from a score of 0.5 on."""
    margins, unknown = weights.read(reviews)
    scores = np.round(probabilities(margins), DECIMALS)
    is_null = pc.is_null(reviews).to_numpy(zero_copy_only=False)
    return Classification(
        positive_review=pa.array((scores >= POSITIVE_FROM).astype(np.int32), mask=is_null),
        score=pa.array(scores, mask=is_null),
        name="model",
        version=weights.version,
        unknown_ngrams=pa.array(np.round(unknown, DECIMALS), from_pandas=True),
    )


def unknown_share(places: np.ndarray, is_unknown: np.ndarray, texts: int) -> np.ndarray:
    """From the text of each n-gram, and whether it is unknown: the share of each text, NaN for one without n-grams."""
    count = np.bincount(places, minlength=texts)
    unknown = np.bincount(places, is_unknown, minlength=texts)
    share: np.ndarray = np.divide(unknown, count, out=np.full(texts, np.nan), where=count > 0)
    return share


def probabilities(margins: np.ndarray) -> np.ndarray:
    # by the absolute value, which overflows nowhere
    larger = 1 / (1 + np.exp(-np.abs(margins)))
    found: np.ndarray = np.where(margins < 0, 1 - larger, larger)
    return found


def write_weights(uri: str, weights: Model) -> None:
    """The folder is a model when it has a card, too."""
    table = pa.table([pa.array(weights.slots), pa.array(weights.weights)], schema=SCHEMA)
    with create(uri, WEIGHTS) as file:
        pq.write_table(table, file, compression="zstd")


def read_model(uri: str) -> Model:
    """From a folder, local or in an object store. Raises PreparationError for one that is no model, is damaged, or has another format."""
    try:
        card = json.loads(_read(uri, CARD).to_pybytes())
        format_version, version = card["format_version"], card["version"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(uri, f"{CARD} is not what make train writes ({error!r})") from error
    if format_version != FORMAT_VERSION:
        raise PreparationError(
            f"the model {uri} has format {format_version!r}, and this version of the project reads format {FORMAT_VERSION}: train it again "
            "(make train)"
        )
    try:
        table = pq.read_table(pa.BufferReader(_read(uri, WEIGHTS))).combine_chunks()
        slots, weights = (table.column(name).to_numpy() for name in SCHEMA.names)
        found = Model(slots, weights, float(card["intercept"]))
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(uri, " ".join(str(error).split())) from error
    if not table.schema.equals(SCHEMA) or not _is_in_order(slots) or not np.isfinite(weights).all():
        raise _damaged(
            uri, f"{WEIGHTS} does not hold a finite weight for each of some slots in ascending order"
        )
    if not np.isfinite(found.intercept):
        raise _damaged(uri, f"the intercept in {CARD} is {found.intercept}")
    if found.version != version:
        raise _damaged(uri, f"its weights are version {found.version}, its card is of version {version}")
    return found


def _is_in_order(slots: np.ndarray) -> bool:
    return bool(np.all(np.diff(slots, prepend=-1, append=SLOTS) > 0))


def _read(uri: str, name: str) -> pa.Buffer:
    try:
        store, path = store_and_path(uri)
        with store.open_input_file(f"{path}/{name}") as file:
            return file.read_buffer()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PreparationError(
            f"{uri} is no model: there is no {name} in it; --model and MODEL_URI name a folder that make train has written"
        ) from error
    except (OSError, pa.ArrowException) as error:
        raise not_done(f"the model {uri} cannot be read", error) from error


def _damaged(uri: str, reason: str) -> PreparationError:
    return PreparationError(
        f"the model {uri} is damaged: {reason}; copy it again, or train it again (make train)"
    )
