"""The classifier `lexicon`: words and phrases that speak for and against, turned by negations and weighed by what is around them.

For whoever has no labelled reviews. It agrees with 86.8 % of the labels of 25,000 movie reviews (29 November 2026), which the words were
not learnt from: they are written by hand, in words/lexicon, and a folder of your own takes their place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

import pyarrow as pa

from spark_prep.errors import PreparationError
from spark_prep.reviews.classifiers.classification import Classification

# not by __file__: on a cluster the package may be a zip file
WORDS = files("spark_prep.reviews.classifiers") / "words" / "lexicon"

# A new number whenever the rule itself changes; a change of the words shows in the hash after it.
RULE_VERSION = 1
TOKEN = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[.!?;:,]")
MARKUP = re.compile(r"<br ?/?>")
SENTENCE_ENDS, PAUSES = frozenset(".!?;:"), frozenset(".!?;:,")
STRENGTHS = {"1": 1.0, "2": 2.0, "3": 3.0}
# People write more kindly than they judge, in most languages: what speaks against a thing weighs half as much again.
AGAINST = 1.5
# "not good" is bad, but not as bad as "bad".
NEGATED = -0.6
# How many words a negation reaches over, within the words between two pauses.
NEGATION_REACH = 3
# What comes before a "but" is conceded.
CONCEDED = 0.5
# A review ends with its verdict.
VERDICT_BEGINS, VERDICT = 0.8, 1.5
# A single word is not certain: so much is taken to speak for either side.
DOUBT = 2.0


class Words(NamedTuple):
    """phrases: by first word, the phrases that begin with it, longest first, and what each weighs (negative: it speaks against).
    factors: of a word right before such a phrase."""

    phrases: dict[str, list[tuple[tuple[str, ...], float]]]
    negations: frozenset[str]
    factors: dict[str, float]
    contrasts: frozenset[str]
    version: str


def lexicon(reviews: pa.Array, words: Words) -> Classification:
    """Positive if more speaks for it than against it. The score is the part of all weights that speaks for it; 0.5 where nothing does
    either."""
    judged = [None if text is None else _weigh(text, words) for text in reviews.to_pylist()]
    return Classification(
        positive_review=pa.array([sums and int(sums[0] > sums[1]) for sums in judged], pa.int32()),
        score=pa.array(
            [sums and (sums[0] + DOUBT) / (sums[0] + sums[1] + 2 * DOUBT) for sums in judged], pa.float64()
        ),
        name="lexicon",
        version=words.version,
    )


def _weigh(text: str, words: Words) -> tuple[float, float]:
    """What speaks for it, and what speaks against it."""
    tokens = TOKEN.findall(MARKUP.sub(" ", _plain(text)))
    verdict_begins = VERDICT_BEGINS * len(tokens)
    speaks_for = speaks_against = 0.0
    # of the sentence so far
    for_it = against_it = 0.0
    place = 0
    while place < len(tokens):
        token = tokens[place]
        length = 1
        if token in SENTENCE_ENDS:
            speaks_for, speaks_against = speaks_for + for_it, speaks_against + against_it
            for_it = against_it = 0.0
        elif token in words.contrasts:
            for_it, against_it = CONCEDED * for_it, CONCEDED * against_it
        else:
            for phrase, strength in words.phrases.get(token, ()):
                if len(phrase) == 1 or tuple(tokens[place : place + len(phrase)]) == phrase:
                    weight = strength * _factor(tokens, place, words)
                    if place > verdict_begins:
                        weight *= VERDICT
                    if weight > 0:
                        for_it += weight
                    else:
                        against_it -= weight
                    length = len(phrase)
                    break
        place += length
    return speaks_for + for_it, speaks_against + against_it


def _plain(text: str) -> str:
    """In lower case, with one kind of apostrophe: of a review and of a list alike, else the two would not meet."""
    return text.lower().replace("\u2019", "'")


def _factor(tokens: list[str], place: int, words: Words) -> float:
    """By what stands before a word: an intensifier right before it, a negation a little further."""
    factor = words.factors.get(tokens[place - 1], 1.0) if place else 1.0
    for before in range(place - 1, max(-1, place - 1 - NEGATION_REACH), -1):
        if tokens[before] in PAUSES:
            break
        if tokens[before] in words.negations:
            return factor * NEGATED
    return factor


def read_words(folder: Traversable = WORDS) -> Words:
    """From positive.txt and negative.txt (a word or phrase a line, and its strength), intensifiers.txt (a word and its factor),
    negations.txt and contrasts.txt (a word a line).

    Raises PreparationError for a file that cannot be read, for a line that is none of these or comes twice, and without a word on either
    side: what cannot be used would otherwise only never be found.
    """
    phrases: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    known: dict[tuple[str, ...], str] = {}
    for name, sign in (("positive.txt", 1.0), ("negative.txt", -AGAINST)):
        lines = _lines(folder / name)
        if not lines:
            raise PreparationError(f"{folder / name} holds no word: every review would get the same verdict")
        for where, line in lines:
            phrase = tuple(line.split())
            strength = STRENGTHS.get(phrase[-1])
            if strength is not None:
                phrase = phrase[:-1]
            # "great 4" means a strength, which there is not; "perfect 10 3" is a phrase
            has_other_strength = strength is None and phrase[-1].isdecimal()
            is_phrase = TOKEN.findall(" ".join(phrase)) == [*phrase] and PAUSES.isdisjoint(phrase)
            if not phrase or has_other_strength or not is_phrase:
                raise PreparationError(
                    f"{where}: {line!r} is not a word or phrase and a strength of 1, 2 or 3"
                )
            if phrase in known:
                raise PreparationError(f"{where}: {' '.join(phrase)!r} is also in {known[phrase]}")
            known[phrase] = where
            phrases.setdefault(phrase[0], []).append((phrase, sign * (strength or 1.0)))
    for beginning in phrases.values():
        beginning.sort(key=lambda entry: -len(entry[0]))
    factors: dict[str, float] = {}
    for where, line in _lines(folder / "intensifiers.txt"):
        found = re.fullmatch(r"(\S+)\s+([0-9]+(?:\.[0-9]+)?)", line)
        if not found:
            raise PreparationError(f"{where}: {line!r} is not a word and a factor such as 1.5")
        _require_new_word(found[1], where, factors)
        factors[found[1]] = float(found[2])
    negations, contrasts = (_single_words(folder / name) for name in ("negations.txt", "contrasts.txt"))
    content = repr((sorted(phrases.items()), sorted(negations), sorted(factors.items()), sorted(contrasts)))
    version = f"{RULE_VERSION}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"
    return Words(phrases, negations, factors, contrasts, version)


def _single_words(file: Traversable) -> frozenset[str]:
    words: set[str] = set()
    for where, line in _lines(file):
        _require_new_word(line, where, words)
        words.add(line)
    return frozenset(words)


def _require_new_word(word: str, where: str, known: Collection[str]) -> None:
    """One that a text can hold: it is compared with single words."""
    if TOKEN.findall(word) != [word] or word in PAUSES:
        raise PreparationError(f"{where}: {word!r} is not a single word; write one word a line")
    if word in known:
        raise PreparationError(f"{where}: {word!r} comes twice")


def _lines(file: Traversable) -> list[tuple[str, str]]:
    """(file and number, text as _plain makes it) of each line that is neither blank nor begins with #."""
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PreparationError(
            f"{file} cannot be read as a UTF-8 list of words: {error}. Copy the folder {WORDS} and change the copy"
        ) from error
    return [
        (f"{file}, line {number}", _plain(line.strip()))
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith("#")
    ]
