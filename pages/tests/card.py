"""A card of a model as `make train` writes it, made up."""

import json
from pathlib import Path

VERSION = "1-0123456789abcdef"
# Tenths of the score: reviews, mean score, share of them that is positive.
TENTHS = [(300, 0.04, 0.05), (60, 0.15, 0.13), (40, 0.25, 0.3), (30, 0.36, 0.33), (20, 0.44, 0.5),
          (25, 0.56, 0.52), (30, 0.64, 0.7), (45, 0.75, 0.71), (70, 0.86, 0.9), (380, 0.96, 0.97)]  # fmt: skip


def card(**changed) -> dict:
    figures = {
        "reviews": 1000, "accuracy": 0.912, "accuracy_low": 0.893, "accuracy_high": 0.928, "precision": 0.91, "recall": 0.92, "f1": 0.915,
        "auc": 0.97, "calibration_error": 0.0184, "unsure": 0.045, "unknown_ngram_share": 0.62,
        "confusion": {"true_positive": 470, "false_positive": 46, "false_negative": 42, "true_negative": 442},
        "scores": [
            {"from": n / 10, "reviews": reviews, "mean_score": mean, "positive": positive}
            for n, (reviews, mean, positive) in enumerate(TENTHS)
        ],
    }  # fmt: skip
    return {
        "format_version": 1, "version": VERSION, "intercept": 0.1, "weights": 1234, "trained": "2021-02-01", "note": "They were made up.",
        "learnt_from": {"reviews": 1000, "positive": 512, "left_out": {}, "sha256": {}},
        "validation": {"blocks": 5, "blocks_by": "film", "accuracy_by_block": [0.9, 0.92, 0.91, 0.93, 0.9]},
        "figures": figures,
        "learning_curve": [{"reviews": 200 * n, "accuracy": accuracy} for n, accuracy in enumerate((0.82, 0.87, 0.89, 0.9), 1)],
        "ngrams": {
            "for": [{"ngram": ngram, "weight": weight, "reviews": 50, "positive": 0.9} for ngram, weight in (("superb", 2.5), ("<b>", 1.5))],
            "against": [{"ngram": ngram, "weight": weight, "reviews": 40, "positive": 0.1} for ngram, weight in (("=dull", -2.25), ("so so", -1.0))],
        },
        "mistakes": [{"id_review": 7, "label": "pos", "score": 0.01}],
        "not_for": ["Texts of another language.", "Decisions about a single review."],
    } | changed  # fmt: skip


def write_card(folder: Path, **changed) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.json").write_text(json.dumps(card(**changed)))
    return folder
