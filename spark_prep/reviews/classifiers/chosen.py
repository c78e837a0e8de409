"""The classifiers that a command uses: options, and the settings CLASSIFIER, OTHER_CLASSIFIERS, MODEL_URI, GOOD_WORDS, STOP_WORDS and LEXICON."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

from spark_prep.errors import PreparationError
from spark_prep.reviews.classifiers.classification import Classifier
from spark_prep.reviews.classifiers.keyword import GOOD_WORDS, STOP_WORDS, effective_words, keyword
from spark_prep.reviews.classifiers.lexicon import WORDS, lexicon, read_words
from spark_prep.reviews.classifiers.model import model, read_model
from spark_prep.settings import location

NAMES = ("keyword", "lexicon", "model")


def add_classifier_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--classifier",
        metavar="NAME",
        default=os.environ.get("CLASSIFIER", "").strip() or NAMES[0],
        help=f"{', '.join(NAMES)} (default: CLASSIFIER of the environment, or {NAMES[0]})",
    )
    for option, metavar, shipped, what in (
        ("--good-words", "FILE", GOOD_WORDS, "of keyword: one word a line"),
        ("--stop-words", "FILE", STOP_WORDS, "of keyword: one word a line"),
        ("--lexicon", "FOLDER", WORDS, "of lexicon: its lists of words"),
    ):
        setting = option.removeprefix("--").replace("-", "_").upper()
        parser.add_argument(
            option,
            metavar=metavar,
            type=Path,
            default=os.environ.get(setting, "").strip() or shipped,
            # argparse reads a % in it
            help=f"{what} (default: {setting} of the environment, or {shipped})".replace("%", "%%"),
        )
    parser.add_argument(
        "--model",
        metavar="URI",
        default=os.environ.get("MODEL_URI", "").strip(),
        help="of model: the folder that make train has written (default: MODEL_URI of the environment)",
    )


def add_other_classifiers_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--other-classifiers",
        metavar="NAMES",
        default=os.environ.get("OTHER_CLASSIFIERS", ""),
        help="classifiers to run in the same pass, as lexicon,model: what they say goes to the table other_classification, and decides "
        "nothing (default: OTHER_CLASSIFIERS of the environment, or none)",
    )


def chosen_classifier(arguments: argparse.Namespace) -> Classifier:
    """Raises PreparationError for a name that is none, and for lists of words or a model that cannot be used."""
    return _classifier(arguments.classifier, arguments, "--classifier and CLASSIFIER")


def other_classifiers(arguments: argparse.Namespace) -> tuple[Classifier, ...]:
    """In the order of their names. Raises PreparationError also for one that decides already."""
    names = {name.strip() for name in arguments.other_classifiers.split(",") if name.strip()}
    if arguments.classifier in names:
        raise PreparationError(
            f"the classifier {arguments.classifier} decides already: take it out of --other-classifiers or OTHER_CLASSIFIERS"
        )
    return tuple(
        _classifier(name, arguments, "--other-classifiers and OTHER_CLASSIFIERS") for name in sorted(names)
    )


def _classifier(name: str, arguments: argparse.Namespace, options: str) -> Classifier:
    if name == "keyword":
        return partial(keyword, words=effective_words(arguments.good_words, arguments.stop_words))
    if name == "lexicon":
        return partial(lexicon, words=read_words(arguments.lexicon))
    if name == "model":
        if not arguments.model:
            raise PreparationError(
                "the classifier model needs a model: name a folder that make train has written by --model or MODEL_URI"
            )
        return partial(model, weights=read_model(location("MODEL_URI", arguments.model)))
    raise PreparationError(f"there is no classifier {name!r}: {options} take {', '.join(NAMES)}")
