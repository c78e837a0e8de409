"""What `make train` costs, with more and more labelled reviews.

They are generated: as long as real ones, of phrases that come back as often as real ones do, few of them all the time and most hardly ever.
Training costs what the n-grams cost that reviews share, and words drawn one by one would share almost none.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ci.benchmarks.document import aligned, table, template_in, verdicts
from ci.benchmarks.result import MB, Target
from ci.benchmarks.run import BenchmarkError, cost_of, own_environment
from ci.benchmarks.ways import ROOT

DOCUMENT = ROOT / "docs/benchmark_training.md"
TEMPLATE = Path(__file__).with_name("training.md.jinja")
SIZES = (2_500, 25_000, 250_000)
# Seconds that a number of labelled reviews may take.
AT_MOST = {25_000: 300.0}

WORDS = 60_000
PHRASES = 300_000
LONGEST_PHRASE = 6
# How many of a review's phrases go by its label.
TELLING = 0.3
LETTERS = "aeinorst"


def write_labelled(folder: Path, size: int) -> tuple[Path, Path]:
    """Write reviews and their labels, the same bytes every time, and return both files. Every second review is positive."""
    rng = np.random.default_rng(1)
    words = [_word(number) for number in range(WORDS)]
    phrases = [
        " ".join(words[number] for number in _often_or_hardly_ever(rng, WORDS, length))
        for length in rng.integers(1, LONGEST_PHRASE, PHRASES, endpoint=True)
    ]
    folder.mkdir(parents=True)
    reviews, labels = folder / "reviews.csv", folder / "labels.csv"
    with open(reviews, "w") as texts, open(labels, "w") as marks:
        texts.write("cid,review_str,id_review\n")
        marks.write("id_review,label\n")
        for number in range(1, size + 1):
            is_positive = number % 2
            chosen = _often_or_hardly_ever(rng, PHRASES, 1 + int(rng.lognormal(3.95, 0.65)))
            is_telling = rng.random(len(chosen)) < TELLING
            # odd phrases are for, even ones against
            chosen[is_telling] = chosen[is_telling] // 2 * 2 + is_positive
            texts.write(f"{number},{' '.join(phrases[place] for place in chosen)},{number}\n")
            marks.write(f"{number},{is_positive}\n")
    return reviews, labels


def _often_or_hardly_ever(rng: np.random.Generator, of: int, count: int) -> np.ndarray:
    """So many numbers below `of`, n about as often as 1 / (n + 1): Zipf's law."""
    return (of ** rng.random(count)).astype(int) - 1


def _word(number: int) -> str:
    number, letter = divmod(number, len(LETTERS))
    return (_word(number - 1) if number else "") + LETTERS[letter]


class Training(NamedTuple):
    """Of a number of labelled reviews: seconds and bytes of `make train`, the n-grams that it found worth a weight, and in what share of the
    reviews the model is right, by its card."""

    wall: float
    cpu: float
    peak_bytes: float
    weights: int
    accuracy: float


Trainings = dict[int, Training]


def measure(size: int, work: Path, say: Callable[[str], None]) -> Training:
    """Raises BenchmarkError with the end of the command's output, or when the model did not learn from all reviews."""
    say(f"making {size:,} labelled reviews")
    folder = work / f"labelled_{size}"
    reviews, labels = write_labelled(folder, size)
    command = [
        sys.executable,
        "-m",
        "spark_prep.reviews.train",
        f"--reviews={reviews}",
        f"--labels={labels}",
        f"--model={folder}/model",
    ]
    cost = cost_of(f"training on {size:,} reviews", command, own_environment(), folder / "log")
    card = json.loads((folder / "model/card.json").read_text())
    if card["learnt_from"]["reviews"] != size:
        raise BenchmarkError(
            f"the model learnt from {card['learnt_from']['reviews']:,} reviews; {size:,} is right"
        )
    say(f"training  {cost.wall:7.1f} s  CPU {cost.cpu:7.1f} s  {cost.peak_bytes / MB:6,.0f} MB")
    return Training(cost.wall, cost.cpu, cost.peak_bytes, card["weights"], card["figures"]["accuracy"])


def targets(trainings: Trainings) -> list[Target]:
    return [
        Target(
            f"{size:,} reviews: at most {seconds / 60:.0f} minutes",
            f"{trainings[size].wall:.0f} s",
            trainings[size].wall <= seconds,
        )
        for size, seconds in AT_MOST.items()
        if size in trainings
    ]


def terminal(trainings: Trainings) -> str:
    goals = [("Targets", "", ""), *verdicts(targets(trainings))]
    return "\n".join(["", *aligned(_rows(trainings)), "", *aligned(goals)])


def publish(trainings: Trainings, machine: dict[str, str]) -> None:
    """Write docs/benchmark_training.md."""
    page = template_in(TEMPLATE).render(
        machine=table([("", ""), *machine.items()]),
        trainings=table(_rows(trainings)),
        targets=table([("target", "measured", ""), *verdicts(targets(trainings))]),
    )
    DOCUMENT.write_text(page, encoding="utf-8")


def _rows(trainings: Trainings) -> list[tuple[str, ...]]:
    head = ("labelled reviews", "wall s", "CPU s", "ms of CPU a review", "peak MB", "weights", "right")
    return [
        head,
        *(
            (
                f"{size:,}", f"{found.wall:.0f}", f"{found.cpu:.0f}", f"{found.cpu / size * 1000:.1f}",
                f"{found.peak_bytes / MB:,.0f}", f"{found.weights:,}", f"{found.accuracy:.1%}",
            )
            for size, found in trainings.items()
        ),
    ]  # fmt: skip
