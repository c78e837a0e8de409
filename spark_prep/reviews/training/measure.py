"""How often a model is right, on reviews that it has not learnt from: blocks, calibration, figures. Arrays in, numbers out.

Reviews of one film stand together in a file, and share names and phrases. A random split would put some of them on either side, and flatter.
So the reviews are cut into blocks of neighbours, and each block is judged by a model that learnt from the others.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

import numpy as np

from spark_prep.errors import PreparationError
from spark_prep.reviews.classifiers.model import POSITIVE_FROM, probabilities

BLOCKS = 5
# Of scores, for the calibration error and its picture.
BINS = 10
# Of the interval of 95 % around a share.
Z = 1.959964


class Calibration(NamedTuple):
    """From a margin to the margin whose probability is right: slope × margin + offset (Platt's scaling)."""

    slope: float
    offset: float

    def applied(self, margins: np.ndarray) -> np.ndarray:
        calibrated: np.ndarray = self.slope * margins + self.offset
        return calibrated


def blocks_of(is_positive: np.ndarray, groups: list[str] | None) -> np.ndarray:
    """The block of each review, 0 to BLOCKS - 1: neighbours among the positive ones, and among the negative ones; or, if there are groups,
    whole groups. Raises PreparationError if some block cannot have both labels."""
    block = np.empty(len(is_positive), np.int8)
    if groups is None:
        for label in (False, True):
            places = np.flatnonzero(is_positive == label)
            block[places] = np.arange(len(places)) * BLOCKS // len(places)
        return block
    block_of, filled = {}, [0] * BLOCKS
    # the largest first, each to the block that has least
    for group, size in sorted(Counter(groups).items(), key=lambda item: (-item[1], item[0])):
        block_of[group] = filled.index(min(filled))
        filled[block_of[group]] += size
    block[:] = [block_of[group] for group in groups]
    for number in range(BLOCKS):
        labels = is_positive[block == number]
        if labels.all() or not labels.any():
            raise PreparationError(
                f"{len(block_of)} values of the column for --blocks-by do not make {BLOCKS} blocks with positive and negative reviews in "
                "each; take a column with more values, or leave it out"
            )
    return block


def calibrate(margins: np.ndarray, is_positive: np.ndarray) -> Calibration:
    """By maximum likelihood, with Newton's method. Platt's targets keep it finite where a margin tells the labels apart."""
    positive, negative = is_positive.sum(), (~is_positive).sum()
    target = np.where(is_positive, (positive + 1) / (positive + 2), 1 / (negative + 2))
    features = np.stack((margins, np.ones(len(margins))))
    found = np.zeros(2)
    for _ in range(50):
        probability = probabilities(found @ features)
        gradient = features @ (probability - target)
        hessian = (features * (probability * (1 - probability))) @ features.T
        step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        found = found - step
        if np.abs(step).max() < 1e-9:
            break
    return Calibration(float(found[0]), float(found[1]))


def calibrated_across(margins: np.ndarray, is_positive: np.ndarray, block: np.ndarray) -> np.ndarray:
    """The probability of each review, calibrated by the other blocks: of what a model will say, an honest sample."""
    scores = np.empty(len(margins))
    for number in range(BLOCKS):
        here = block == number
        calibration = calibrate(margins[~here], is_positive[~here])
        scores[here] = probabilities(calibration.applied(margins[here]))
    return scores


def figures(scores: np.ndarray, is_positive: np.ndarray) -> dict[str, object]:
    counts = confusion(scores >= POSITIVE_FROM, is_positive)
    hits, false_alarms, misses = (
        counts[name] for name in ("true_positive", "false_positive", "false_negative")
    )
    right = hits + counts["true_negative"]
    precision, recall = _share(hits, hits + false_alarms), _share(hits, hits + misses)
    low, high = wilson(right, len(scores))
    return {
        "reviews": len(scores),
        "accuracy": right / len(scores),
        "accuracy_low": low,
        "accuracy_high": high,
        "precision": precision,
        "recall": recall,
        "f1": _share(2 * hits, 2 * hits + false_alarms + misses),
        "auc": auc(scores, is_positive),
        "confusion": counts,
        "calibration_error": calibration_error(scores, is_positive),
        "unsure": float(((scores >= 0.4) & (scores < 0.6)).mean()),
        "scores": reliability(scores, is_positive),
    }


def confusion(said: np.ndarray, is_positive: np.ndarray) -> dict[str, int]:
    """How many reviews are called positive or negative, rightly or not."""
    return {
        "true_positive": int((said & is_positive).sum()),
        "false_positive": int((said & ~is_positive).sum()),
        "false_negative": int((~said & is_positive).sum()),
        "true_negative": int((~said & ~is_positive).sum()),
    }


def wilson(right: int, of: int) -> tuple[float, float]:
    """The interval of 95 % around a share."""
    share, z2 = right / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return middle - half, middle + half


def auc(scores: np.ndarray, is_positive: np.ndarray) -> float:
    """How often a positive review has a higher score than a negative one; the same score counts half."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    positive = int(is_positive.sum())
    negative = len(scores) - positive
    return float((ranks[is_positive].sum() - positive * (positive + 1) / 2) / (positive * negative))


def tenths(scores: np.ndarray) -> np.ndarray:
    """0 to 9: the tenth that each score lies in."""
    found: np.ndarray = np.minimum((scores * BINS).astype(int), BINS - 1)
    return found


def reliability(scores: np.ndarray, is_positive: np.ndarray) -> list[dict[str, float]]:
    """By tenths of the score: how many reviews, their mean score, the share of them that is positive."""
    bin_of = tenths(scores)
    found = []
    for number in range(BINS):
        here = bin_of == number
        if here.any():
            found.append(
                {
                    "from": number / BINS,
                    "reviews": int(here.sum()),
                    "mean_score": float(scores[here].mean()),
                    "positive": float(is_positive[here].mean()),
                }
            )
    return found


def calibration_error(scores: np.ndarray, is_positive: np.ndarray) -> float:
    """The expected calibration error: how far score and share are apart, as the mean over the reviews."""
    tenths = reliability(scores, is_positive)
    return sum(tenth["reviews"] * abs(tenth["mean_score"] - tenth["positive"]) for tenth in tenths) / len(
        scores
    )


def worst_mistakes(scores: np.ndarray, is_positive: np.ndarray, count: int) -> list[int]:
    """The places of the reviews that are wrong with the highest confidence."""
    is_wrong = (scores >= POSITIVE_FROM) != is_positive
    order = np.argsort(-np.abs(scores - POSITIVE_FROM), kind="stable")
    found: list[int] = order[is_wrong[order]][:count].tolist()
    return found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
