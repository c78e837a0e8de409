"""The card of a model, card.json of the folder that `make train` writes: MODEL_URI, a path or a URI of an object store."""

import json
from dataclasses import dataclass

import pyarrow as pa
from pyarrow.fs import FileSystem


@dataclass
class Card:
    """What a model learnt from, how often it is right on reviews that it did not learn from, and what it goes by."""

    version: str
    trained: str
    reviews: int
    positive: int
    weights: int
    note: str
    blocks_by: str
    accuracy_by_block: list[float]
    # named as in the file
    figures: dict
    # (reviews learnt from, accuracy)
    curve: list[tuple[int, float]]
    # (n-gram, weight, reviews that hold it, share of these that is positive)
    for_it: list[tuple[str, float, int, float]]
    against_it: list[tuple[str, float, int, float]]
    not_for: list[str]


FIGURES = (
    "accuracy", "accuracy_low", "accuracy_high", "precision", "recall", "f1", "auc", "calibration_error", "unsure", "unknown_ngram_share",
)  # fmt: skip
CONFUSION = ("true_positive", "false_positive", "false_negative", "true_negative")


def read_card(uri: str) -> tuple[Card | None, str]:
    """The card, or None and why there is none, as a sentence. A report is not to fail for it."""
    if not uri:
        return (
            None,
            "No model was named: MODEL_URI is the folder that make train has written, and shows its card here.",
        )
    try:
        store, path = FileSystem.from_uri(uri.replace("s3a://", "s3://", 1))
        with store.open_input_file(f"{path.rstrip('/')}/card.json") as file:
            return _card(json.loads(file.read())), ""
    except (OSError, pa.ArrowException) as error:
        return None, f"The model's card in {uri} cannot be read: {' '.join(str(error).split())}"
    except (KeyError, TypeError, ValueError) as error:
        return (
            None,
            f"{uri} has no card that this version of the project reads ({error!r}): train the model again (make train).",
        )


def _card(found: dict) -> Card:
    learnt, validation, figures = found["learnt_from"], found["validation"], found["figures"]
    if not found["learning_curve"] or not validation["accuracy_by_block"]:
        raise ValueError("it has no blocks")
    return Card(
        version=str(found["version"]),
        trained=str(found["trained"]),
        reviews=int(learnt["reviews"]),
        positive=int(learnt["positive"]),
        weights=int(found["weights"]),
        note=str(found.get("note") or ""),
        blocks_by=str(validation["blocks_by"]),
        accuracy_by_block=[float(share) for share in validation["accuracy_by_block"]],
        # a share of nothing is none
        figures={name: None if figures[name] is None else float(figures[name]) for name in FIGURES}
        | {"confusion": {name: int(figures["confusion"][name]) for name in CONFUSION}}
        | {"scores": [{name: float(tenth[name]) for name in ("from", "reviews", "mean_score", "positive")} for tenth in figures["scores"]]},
        curve=[(int(point["reviews"]), float(point["accuracy"])) for point in found["learning_curve"]],
        for_it=_ngrams(found["ngrams"]["for"]),
        against_it=_ngrams(found["ngrams"]["against"]),
        not_for=[str(purpose) for purpose in found["not_for"]],
    )  # fmt: skip


def _ngrams(found: list[dict]) -> list[tuple[str, float, int, float]]:
    return [
        (str(one["ngram"]), float(one["weight"]), int(one["reviews"]), float(one["positive"]))
        for one in found
    ]
