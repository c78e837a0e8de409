"""How often a classifier is right, as a line of dbt's seed measured_classifier: from it the warehouse knows what its verdicts are worth."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from spark_prep.reviews.training.measure import BINS

SEED = "dbt_project/seeds/measured_classifier.csv"
# In a model's folder.
MEASURED = "measured.csv"
COLUMNS = (
    "classifier",
    "classifier_version",
    "true_positives",
    "false_positives",
    "false_negatives",
    "true_negatives",
    *(f"tenth_{number}" for number in range(BINS)),
    "measured_on",
    "unknown_ngram_share",
)


def measured_csv(
    name: str,
    version: str,
    confusion: dict[str, int],
    tenths: Sequence[int] | None,
    measured_on: str,
    unknown_ngram_share: float | None = None,
) -> str:
    """Two lines: the seed's header, and its line. `tenths` is how many of the reviews have a score in each tenth from 0 to 1, None for a
    classifier that has none; unknown_ngram_share the mean of the reviews' shares, None for one that knows no n-grams."""
    counts = (
        confusion[what] for what in ("true_positive", "false_positive", "false_negative", "true_negative")
    )
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    unknown = "" if unknown_ngram_share is None else f"{unknown_ngram_share:.6f}"
    lines.writerow((name, version, *counts, *(tenths or ("",) * BINS), measured_on, unknown))
    return text.getvalue()
