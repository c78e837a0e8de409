"""Trains a model and the models that judge it, each on other blocks of the reviews."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, NamedTuple, cast

import numpy as np
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from spark_prep.errors import PreparationError
from spark_prep.reviews.classifiers.model import Model
from spark_prep.reviews.training import measure
from spark_prep.reviews.training.fit import Fit, Matrix, fit, to_spark

BLOCKS = range(measure.BLOCKS)
# How many blocks the models of the learning curve learn from; all are judged by the last block.
CURVE = BLOCKS[1:]
# Of Spark's memory, what it takes without any fit.
SPARK_ITSELF = 1 << 30


class Trained(NamedTuple):
    """The model; of each review, the probability that models said which had not learnt from its block, and how many of its n-grams these
    knew; the learning curve, as (reviews learnt from, accuracy)."""

    model: Model
    scores: np.ndarray
    known: np.ndarray
    curve: list[tuple[int, float]]


def train(spark: SparkSession, matrix: Matrix, scratch: str) -> Trained:
    """`scratch` is a folder that every worker of Spark can read. The same input gives the same bytes.

    Fits run side by side, as many as there are cores and memory for: each is a single task of Spark, which needs the memory for all n-grams.
    Raises PreparationError when that is not there.
    """
    is_positive, block = matrix.is_positive, matrix.block
    reviews = to_spark(spark, matrix, scratch)
    # the largest first
    wanted = [tuple(BLOCKS), *map(_without, BLOCKS), *(tuple(BLOCKS[:blocks]) for blocks in reversed(CURVE))]
    fits = _fits(spark, reviews, matrix, [*dict.fromkeys(wanted)])
    margins, known = np.empty(len(block)), np.empty(len(block), np.int64)
    for number in BLOCKS:
        judge, judged = fits[_without(number)], block == number
        margins[judged], known[judged] = judge.margins(matrix, judged), judge.known(matrix, judged)
    last = block == BLOCKS[-1]
    curve = []
    for blocks in CURVE:
        is_right = (fits[tuple(BLOCKS[:blocks])].margins(matrix, last) > 0) == is_positive[last]
        curve.append((int(np.isin(block, BLOCKS[:blocks]).sum()), float(is_right.mean())))
    learnt, calibration = fits[tuple(BLOCKS)], measure.calibrate(margins, is_positive)
    has_weight = learnt.weights != 0
    model = Model(
        slots=matrix.slots[has_weight].astype(np.int32),
        weights=(calibration.slope * learnt.weights[has_weight]).astype(np.float32),
        intercept=calibration.slope * learnt.intercept + calibration.offset,
    )
    return Trained(model, measure.calibrated_across(margins, is_positive, block), known, curve)


def memory_wanted(matrix: Matrix) -> int:
    """In bytes, of Spark on this machine: for a fit on each core, if that leaves half of the machine to others."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(2 << 30, min(machine // 2, SPARK_ITSELF + (os.cpu_count() or 1) * matrix.bytes_of_fit()))


def _without(number: int) -> tuple[int, ...]:
    return tuple(other for other in BLOCKS if other != number)


def _fits(
    spark: SparkSession, reviews: DataFrame, matrix: Matrix, wanted: Sequence[tuple[int, ...]]
) -> dict[tuple[int, ...], Fit]:
    """By the blocks that each learns from."""
    began, numbers = time.monotonic(), count(1)

    def fitted(blocks: tuple[int, ...]) -> Fit:
        learnt = fit(reviews, matrix, blocks)
        learnt_from = np.isin(matrix.block, blocks).sum()
        print(
            f"  fit {next(numbers)} of {len(wanted)}: {learnt_from} reviews, after {time.monotonic() - began:.0f} s",
            flush=True,
        )
        return learnt

    with ThreadPoolExecutor(_at_once(spark, matrix)) as pool:
        try:
            return dict(zip(wanted, pool.map(fitted, wanted), strict=True))
        except (Py4JError, PySparkException) as error:
            pool.shutdown(cancel_futures=True)
            raise PreparationError(
                f"Spark could not fit the model ({_said_by(error)}). A fit of these reviews needs about "
                f"{(SPARK_ITSELF + matrix.bytes_of_fit()) / 1e9:.1f} GB of Spark's memory, and at most half of a machine's is taken: learn from "
                "fewer reviews, or on a larger machine or a cluster"
            ) from error


def _at_once(spark: SparkSession, matrix: Matrix) -> int:
    """As many fits as there are cores, and memory of the driver."""
    memory: int = cast(Any, spark)._jvm.java.lang.Runtime.getRuntime().maxMemory()
    return max(
        1, min(spark.sparkContext.defaultParallelism, (memory - SPARK_ITSELF) // matrix.bytes_of_fit())
    )


def _said_by(error: Exception) -> str:
    try:
        return str(error).splitlines()[0]
    except Py4JError:  # which asks a JVM that has ended
        return "its JVM has ended"
