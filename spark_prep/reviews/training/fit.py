"""Fits the weights: naive-Bayes log ratios of n-grams, then a logistic regression of Spark ML on them (Wang and Manning 2012, "NBSVM").

The n-grams go to Spark once, as Parquet. A fit takes some blocks of them, multiplies each n-gram by its ratio, and learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import ElementwiseProduct
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ByteType, DoubleType, StructField, StructType

from spark_prep.contract.object_store import create
from spark_prep.reviews.training.labelled import Labelled

# An n-gram of fewer reviews costs most of the memory and says nothing.
FEWEST_REVIEWS = 3
SMOOTHING = 1.0
# Smaller ratios count as none. They are worth nothing, and keep the fit from converging: Spark divides each column by its spread, which
# makes the penalty on such a column enormous (0.87 instead of 0.90 after as many iterations).
SMALLEST_RATIO = 0.3
# Of the penalty, in relation to the sum of the losses, as C of LIBLINEAR and scikit-learn.
C = 0.1
ITERATIONS = 30
TOLERANCE = 1e-6
# What a fit holds: of each of its n-grams an integer and a number; of each column the last ten steps of Spark's L-BFGS, two numbers each, and
# about as many on the way to and from them.
BYTES_OF_NGRAM = 12
BYTES_OF_COLUMN = 40 * 8
# Spark reads a row group at once.
REVIEWS_AT_ONCE = 5_000


class Matrix(NamedTuple):
    """n-grams of labelled reviews, those of FEWEST_REVIEWS and more: slots by column, in ascending order; (place of the review, column)
    of each that is there; labels and blocks by review."""

    slots: np.ndarray
    places: np.ndarray
    columns: np.ndarray
    is_positive: np.ndarray
    block: np.ndarray

    def bytes_of_fit(self) -> int:
        """Of Spark's memory, for one fit of all reviews."""
        return len(self.columns) * BYTES_OF_NGRAM + len(self.slots) * BYTES_OF_COLUMN


class Fit(NamedTuple):
    """A weight by column (0: none), and what a text without any weighs."""

    weights: np.ndarray
    intercept: float

    def margins(self, matrix: Matrix, is_wanted: np.ndarray) -> np.ndarray:
        """Of the reviews that are wanted, in their order."""
        is_here = is_wanted[matrix.places]
        places, weights = matrix.places[is_here], self.weights[matrix.columns[is_here]]
        found: np.ndarray = np.bincount(places, weights, minlength=len(is_wanted))[is_wanted] + self.intercept
        return found

    def known(self, matrix: Matrix, is_wanted: np.ndarray) -> np.ndarray:
        """How many n-grams of these reviews have a weight, in their order."""
        has_weight = is_wanted[matrix.places] & (self.weights[matrix.columns] != 0)
        found: np.ndarray = np.bincount(matrix.places[has_weight], minlength=len(is_wanted))[is_wanted]
        return found


def matrix_of(labelled: Labelled, block: np.ndarray) -> Matrix:
    reviews = np.bincount(labelled.slots)
    slots = np.flatnonzero(reviews >= FEWEST_REVIEWS)
    column_of = np.full(len(reviews), -1, np.int32)
    column_of[slots] = np.arange(len(slots))
    columns = column_of[labelled.slots]
    return Matrix(slots, labelled.places[columns >= 0], columns[columns >= 0], labelled.is_positive, block)


def to_spark(spark: SparkSession, matrix: Matrix, folder: str) -> DataFrame:
    """label, block and ngrams (a sparse vector of ones) of each review, through a file in the folder, in one partition.

    One, since Spark adds up what partitions return in the order in which they end: of several, the same input would not give the same
    model. What runs side by side is fits.
    """
    schema = StructType(
        [
            StructField("label", DoubleType()),
            StructField("block", ByteType()),
            StructField("ngrams", VectorUDT()),
        ]
    )
    with create(folder, "ngrams.parquet") as file:
        pq.write_table(_arrow(matrix), file, row_group_size=REVIEWS_AT_ONCE)
    return spark.read.schema(schema).parquet(f"{folder}/ngrams.parquet").coalesce(1)


def _arrow(matrix: Matrix) -> pa.Table:
    """As Spark stores its vectors."""
    n = len(matrix.is_positive)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(matrix.places, minlength=n))))
    vectors = {
        "type": pa.array(np.zeros(n), pa.int8()),
        "size": pa.array(np.full(n, len(matrix.slots)), pa.int32()),
        "indices": pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), pa.array(matrix.columns, pa.int32())
        ),
        "values": pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), pa.array(np.ones(len(matrix.columns)))
        ),
    }
    return pa.table(
        {
            "label": pa.array(matrix.is_positive.astype(float)),
            "block": pa.array(matrix.block, pa.int8()),
            "ngrams": pa.StructArray.from_arrays([*vectors.values()], names=[*vectors]),
        }
    )


def fit(reviews: DataFrame, matrix: Matrix, blocks: Sequence[int]) -> Fit:
    """Learn from these blocks alone."""
    is_learnt_from = np.isin(matrix.block, blocks)
    ratios = log_ratios(matrix, is_learnt_from)
    scaled = ElementwiseProduct(scalingVec=Vectors.dense(ratios), inputCol="ngrams", outputCol="features")
    regression = LogisticRegression(
        # Spark's loss is the mean
        regParam=1 / (C * is_learnt_from.sum()),
        standardization=False,
        maxIter=ITERATIONS,
        tol=TOLERANCE,
    )
    learnt = regression.fit(scaled.transform(reviews.where(F.col("block").isin(*blocks))))
    return Fit(learnt.coefficients.toArray() * ratios, learnt.intercept)


def log_ratios(matrix: Matrix, is_learnt_from: np.ndarray) -> np.ndarray:
    """By column: how much more often the n-gram is in positive reviews than in negative ones, as a share of all n-grams in them, in
    logarithms; 0 for one of too few reviews, and for one that tells too little."""
    counts = [
        np.bincount(matrix.columns[of_label[matrix.places]], minlength=len(matrix.slots))
        for of_label in (is_learnt_from & matrix.is_positive, is_learnt_from & ~matrix.is_positive)
    ]
    positive, negative = (np.log((SMOOTHING + count) / (SMOOTHING + count).sum()) for count in counts)
    ratios: np.ndarray = positive - negative
    ratios[(counts[0] + counts[1] < FEWEST_REVIEWS) | (np.abs(ratios) < SMALLEST_RATIO)] = 0
    return ratios
