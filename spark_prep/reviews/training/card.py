"""The model's folder: its weights, and its card, which says what it learnt from, how often it is right, and what it is not for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

import numpy as np
import pyarrow as pa

from spark_prep.contract.object_store import replace
from spark_prep.reviews.classifiers.model import (
    CARD,
    DECIMALS,
    FORMAT_VERSION,
    POSITIVE_FROM,
    Model,
    write_weights,
)
from spark_prep.reviews.training import measure
from spark_prep.reviews.training.fit import Matrix
from spark_prep.reviews.training.labelled import Labelled
from spark_prep.reviews.training.learn import Trained
from spark_prep.reviews.training.measured import MEASURED, measured_csv
from spark_prep.reviews.training.words import Telling

MISTAKES = 20


def card_of(
    trained: Trained,
    labelled: Labelled,
    matrix: Matrix,
    blocks_by: str | None,
    note: str,
    telling: tuple[list[Telling], list[Telling]],
) -> dict[str, Any]:
    """What card.json holds. No text of a review is in it but single n-grams."""
    ngrams = np.bincount(labelled.places, minlength=len(labelled.ids))
    figures = measure.figures(trained.scores, matrix.is_positive) | {
        "unknown_ngram_share": float((1 - trained.known[ngrams > 0] / ngrams[ngrams > 0]).mean())
    }
    is_right = (trained.scores >= POSITIVE_FROM) == matrix.is_positive
    for_it, against_it = telling
    return {
        "format_version": FORMAT_VERSION,
        "version": trained.model.version,
        "intercept": trained.model.intercept,
        "weights": len(trained.model.slots),
        "trained": datetime.now(UTC).date().isoformat(),
        "note": note,
        "learnt_from": {
            "reviews": len(labelled.ids),
            "positive": int(labelled.is_positive.sum()),
            "left_out": labelled.left_out,
            "sha256": labelled.fingerprint,
        },
        "validation": {
            "blocks": measure.BLOCKS,
            "blocks_by": blocks_by or "neighbours in the file",
            "accuracy_by_block": [
                float(is_right[matrix.block == number].mean()) for number in range(measure.BLOCKS)
            ],
        },
        "figures": figures,
        "learning_curve": [{"reviews": reviews, "accuracy": accuracy} for reviews, accuracy in trained.curve],
        "ngrams": {
            "for": [ngram._asdict() for ngram in for_it],
            "against": [ngram._asdict() for ngram in against_it],
        },
        "mistakes": [
            {
                "id_review": int(labelled.ids[place]),
                "label": "pos" if matrix.is_positive[place] else "neg",
                "score": round(float(trained.scores[place]), DECIMALS),
            }
            for place in measure.worst_mistakes(trained.scores, matrix.is_positive, MISTAKES)
        ],
        "not_for": [
            "Texts of another kind or language than it learnt from: it knows their words alone. Label some of them and train again.",
            f"Decisions about a single review or customer: {(~is_right).mean():.1%} of the reviews are judged wrong.",
            "Sums over days that different classifiers or versions judged.",
            "Guessing who wrote a review.",
        ],
    }


def write_model(uri: str, model: Model, card: dict[str, Any]) -> None:
    """The card comes last: a folder without one is no model, and one whose card is of other weights is refused."""
    write_weights(uri, model)
    replace(uri, "card.md", pa.py_buffer(markdown(card).encode()))
    replace(uri, MEASURED, pa.py_buffer(_measured(card).encode()))
    replace(uri, CARD, pa.py_buffer(json.dumps(card, indent=1, ensure_ascii=False).encode()))


def _measured(card: dict[str, Any]) -> str:
    reviews = {round(measure.BINS * tenth["from"]): tenth["reviews"] for tenth in card["figures"]["scores"]}
    return measured_csv(
        "model",
        card["version"],
        card["figures"]["confusion"],
        [reviews.get(number, 0) for number in range(measure.BINS)],
        f"the reviews it learnt from, by blocks, {card['trained']}",
        card["figures"]["unknown_ngram_share"],
    )


def markdown(card: dict[str, Any]) -> str:
    learnt, found, validation = card["learnt_from"], card["figures"], card["validation"]
    confusion, curve = found["confusion"], card["learning_curve"]
    doubling = curve[-1]["accuracy"] - curve[1]["accuracy"]
    left_out = "".join(f"; not learnt from: {count} {why}" for why, count in learnt["left_out"].items())
    right = (
        f"**It is right in {found['accuracy']:.1%} of reviews that it has not learnt from** ({found['accuracy_low']:.1%} to "
        f"{found['accuracy_high']:.1%} with 95 % confidence). Measured on {validation['blocks']} blocks ({validation['blocks_by']}), each "
        "judged by a model of the others; never on a random split, which flatters."
    )
    more_labels = (
        f"All judged by the last block. Twice as many labels as {curve[1]['reviews']} brought {100 * doubling:+.1f} points; expect no more of "
        "the next doubling."
    )
    lines = [
        f"# Model {card['version']}",
        "",
        f"Learnt on {card['trained']} from {learnt['reviews']} labelled reviews, {learnt['positive']} of them positive{left_out}.",
        f"It says how likely a review is positive, and calls it positive from {POSITIVE_FROM} on.",
        *(("", card["note"]) if card["note"] else ()),
        "",
        right,
        "",
        "| | |",
        "|---|---|",
        f"| by block | {', '.join(f'{share:.1%}' for share in validation['accuracy_by_block'])} |",
        f"| precision, recall, F1 | {_percent(found['precision'])}, {_percent(found['recall'])}, {_percent(found['f1'])} |",
        f"| area under the curve | {found['auc']:.4f} |",
        f"| calibration error | {found['calibration_error']:.4f}, each block calibrated by the others |",
        f"| unsure (score from 0.4 to 0.6) | {found['unsure']:.1%} |",
        f"| n-grams of a review that have no weight | {found['unknown_ngram_share']:.1%} |",
        "",
        "| | called positive | called negative |",
        "|---|--:|--:|",
        f"| positive | {confusion['true_positive']} | {confusion['false_negative']} |",
        f"| negative | {confusion['false_positive']} | {confusion['true_negative']} |",
        "",
        "## Is a score what it says?",
        "",
        "| score | reviews | mean score | positive | |",
        "|---|--:|--:|--:|---|",
        *(
            f"| {tenth['from']:.1f} to {tenth['from'] + 1 / measure.BINS:.1f} | {tenth['reviews']} | {tenth['mean_score']:.1%} | "
            f"{tenth['positive']:.1%} | {_bar(tenth['positive'])} |"
            for tenth in found["scores"]
        ),
        "",
        "## Is it worth labelling more?",
        "",
        more_labels,
        "",
        "| learnt from | right | |",
        "|--:|--:|---|",
        *(f"| {point['reviews']} | {point['accuracy']:.1%} | {_bar(point['accuracy'])} |" for point in curve),
        "",
        "## What weighs most",
        "",
        "Words, pairs and triples of words, the number of reviews that hold them, and the share of those that is positive.",
        "",
        "| for it | reviews | positive | against it | reviews | positive |",
        "|---|--:|--:|---|--:|--:|",
        *(
            f"| {_cells(for_it)} | {_cells(against_it)} |"
            for for_it, against_it in zip_longest(card["ngrams"]["for"], card["ngrams"]["against"])
        ),
        "",
        "## Where it is wrong",
        "",
        "The mistakes of the highest confidence: a label may be wrong, or the review be ironic.",
        "",
        "| id_review | label | score |",
        "|--:|---|--:|",
        *(
            f"| {mistake['id_review']} | {mistake['label']} | {mistake['score']:.3f} |"
            for mistake in card["mistakes"]
        ),
        "",
        "## What it is not for",
        "",
        *(f"- {purpose}" for purpose in card["not_for"]),
        "",
        f"{card['weights']} weights. SHA-256 of the reviews' file {learnt['sha256']['reviews']}, of the labels' {learnt['sha256']['labels']}.",
        "",
    ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"


def _bar(share: float) -> str:
    return "█" * round(20 * share)


def _cells(ngram: dict[str, Any] | None) -> str:
    return "| | " if ngram is None else f"{ngram['ngram']} | {ngram['reviews']} | {ngram['positive']:.0%}"
