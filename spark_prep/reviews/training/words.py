"""Which n-grams weigh most, in words. A model has slots only, so the reviews are read again: what nobody wrote cannot be named."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from spark_prep.reviews.classifiers.model import Model
from spark_prep.reviews.classifiers.ngrams import ngrams_of
from spark_prep.reviews.training.fit import Matrix
from spark_prep.reviews.training.labelled import texts_of

HOW_MANY = 30
# Several n-grams may share a slot: the one that most of so many of its reviews hold gives the name.
REVIEWS_ASKED = 5


class Telling(NamedTuple):
    """An n-gram, its weight, in how many of the labelled reviews it is, and the share of them that is positive."""

    ngram: str
    weight: float
    reviews: int
    positive: float


def telling_ngrams(
    model: Model, matrix: Matrix, ids: np.ndarray, reviews_uri: str
) -> tuple[list[Telling], list[Telling]]:
    """The HOW_MANY that speak most for a review, and those that speak most against it."""
    order = np.argsort(model.weights, kind="stable")
    for_it = [place for place in order[::-1][:HOW_MANY].tolist() if model.weights[place] > 0]
    against_it = [place for place in order[:HOW_MANY].tolist() if model.weights[place] < 0]
    reviews_of = {
        place: matrix.places[matrix.columns == np.searchsorted(matrix.slots, model.slots[place])]
        for place in for_it + against_it
    }
    asked = {int(ids[review]) for reviews in reviews_of.values() for review in reviews[:REVIEWS_ASKED]}
    ngrams = {id_: ngrams_of(text) for id_, text in texts_of(reviews_uri, asked).items()}

    def telling(place: int) -> Telling:
        reviews, slot = reviews_of[place], int(model.slots[place])
        names = Counter(ngrams[int(ids[review])][slot] for review in reviews[:REVIEWS_ASKED])
        # ties by the alphabet
        name = min(names, key=lambda ngram: (-names[ngram], ngram))
        return Telling(
            name, float(model.weights[place]), len(reviews), float(matrix.is_positive[reviews].mean())
        )

    return [telling(place) for place in for_it], [telling(place) for place in against_it]
