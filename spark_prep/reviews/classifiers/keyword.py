"""The classifier `keyword`, the company's rule: a review is positive when it contains a good word.

On movie reviews this agrees with people's labels about half of the time, no better than a coin toss.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable

import pyarrow as pa
import pyarrow.compute as pc

from spark_prep.errors import PreparationError
from spark_prep.reviews.classifiers.classification import Classification

# not by __file__: on a cluster the package may be a zip file
GOOD_WORDS = files("spark_prep.reviews.classifiers") / "words" / "keyword" / "good_words.txt"
STOP_WORDS = files("spark_prep.reviews.classifiers") / "words" / "keyword" / "stop_words.txt"

# A new number whenever the rule itself changes; a change of the words shows in the hash after it.
RULE_VERSION = 2
# What no word consists of, or nothing at all: RE2, which runs this, cannot look behind. Not \b, which knows ASCII only.
NO_WORD_CHARACTER = r"[^\p{L}\p{M}\p{N}_]"


def keyword(reviews: pa.Array, words: frozenset[str]) -> Classification:
    """Positive if one of the words is in the review, in any case, with no word character before or after it."""
    # word characters only, hence nothing to escape
    word = f"(?:{'|'.join(sorted(words))})"
    # The word anywhere is found several times as fast as the word by itself, which is then looked for in few reviews.
    is_positive = pc.match_substring_regex(reviews, f"(?i){word}")
    pattern = f"(?i)(?:^|{NO_WORD_CHARACTER}){word}(?:$|{NO_WORD_CHARACTER})"
    is_word = pc.match_substring_regex(reviews.filter(is_positive), pattern)
    return Classification(
        positive_review=pc.replace_with_mask(is_positive, is_positive, is_word).cast(pa.int32()),
        score=pa.nulls(len(reviews), pa.float64()),
        name="keyword",
        version=f"{RULE_VERSION}-{hashlib.sha256(' '.join(sorted(words)).encode()).hexdigest()[:8]}",
    )


def effective_words(
    good_words: Traversable = GOOD_WORDS, stop_words: Traversable = STOP_WORDS
) -> frozenset[str]:
    """The good words that are not stop words, in lower case.

    Taking the stop words out of the list is the same as taking them out of every text: words are compared whole, so
    removing one from a text can neither make nor unmake another one. It is only cheaper.

    Raises PreparationError for a file that cannot be read, an entry that is not one word, and an empty result.
    """
    words = frozenset(_read_words(good_words)) - frozenset(_read_words(stop_words))
    if not words:
        raise PreparationError(
            f"{good_words} holds no word that {stop_words} does not take away; add a good word"
        )
    return words


def _read_words(path: Traversable) -> Iterable[str]:
    """One word a line; blank lines and lines that begin with # are skipped."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PreparationError(f"{path} cannot be read as a UTF-8 word list: {error}") from error
    for number, line in enumerate(lines, start=1):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        if not all(character == "_" or unicodedata.category(character)[0] in "LMN" for character in word):
            raise PreparationError(
                f"{path}, line {number}: {word!r} is not a single word; write one word a line"
            )
        yield word.lower()
