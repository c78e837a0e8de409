"""What every classifier returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa


class Classification(NamedTuple):
    """What a classifier says about each review, and which classifier says so.

    positive_review is an int32 array of 1 and 0; score a double array from 0 to 1, NULL for a classifier that has none. Both are NULL
    where there is no text. unknown_ngrams is a double array, too, None for a classifier that knows no n-grams: the share of a text's
    n-grams that have no weight, NULL where there are none.
    """

    positive_review: pa.Array
    score: pa.Array
    name: str
    version: str
    unknown_ngrams: pa.Array | None = None


# From the texts, an Arrow array of strings. It is sent to Spark's workers, so it holds the words or weights that it needs.
Classifier = Callable[[pa.Array], Classification]
