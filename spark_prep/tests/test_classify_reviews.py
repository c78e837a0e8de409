"""Which reviews are staged, and as what. Without Spark."""

import os
import random
import re
import shutil
import subprocess
import sys
import unicodedata
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from spark_prep.errors import PreparationError
from spark_prep.reviews.classifiers import keyword as keyword_file
from spark_prep.reviews.classifiers.keyword import effective_words, keyword
from spark_prep.reviews.classify_reviews import MOVIE_REVIEW, classify
from spark_prep.spark.stage_task import Stage
from spark_prep.tests.without_spark import stage_text

GOOD = frozenset({"good"})
REVIEWS = Stage(
    "classified_movie_review", MOVIE_REVIEW, partial(classify, classifier=partial(keyword, words=GOOD))
)
TEXTS = int(os.environ.get("FUZZ_RECORDS", "10000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))

POSITIVE = [
    "good",
    "A Good film.",
    "GOOD!",
    "good-looking",
    "so,good;really",
    "<br />good<br />",
    "good’s",
    "bad\ngood",
    "(good)",
    "“good”",
    "not good",
]
NEGATIVE = [
    "goodness",
    "goodbye",
    "not_good",
    "good_",
    "good123",
    "3good",
    "goodé",
    "дgood",
    "good\u0301",
    "feelgood",
    "g ood",
    "\U0001d400good",
    "\U00020000good",
    "good\U00020000",
    "fine",
]


def verdicts(texts, words=GOOD):
    return keyword(pa.array(texts, pa.string()), words).positive_review.to_pylist()


def test_good_counts_as_a_word_in_any_case():
    assert verdicts(POSITIVE) == [1] * len(POSITIVE)


def test_good_within_another_word_does_not_count():
    assert verdicts(NEGATIVE) == [0] * len(NEGATIVE)


def test_a_words_case_and_other_letters():
    assert verdicts(["ÉCLATANT", "éclatant!", "eclatant"], frozenset({"éclatant"})) == [1, 1, 0]
    # LATIN SMALL LETTER LONG S and KELVIN SIGN are s and k in another case
    assert verdicts(["\u017fick", "sic\u212a", "\u017fICK!", "x\u017fick"], frozenset({"sick"})) == [
        1,
        1,
        1,
        0,
    ]


def same_letter(one: str, other: str) -> bool:
    """By simple case folding: one character for one."""
    folded = [c.casefold() if len(c.casefold()) == 1 else c.lower() for c in (one, other)]
    return folded[0] == folded[1]


def is_word_character(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LMN"


def contains(text: str, words: frozenset[str]) -> bool:
    """The rule, character by character."""
    for word in words:
        for start in range(len(text) - len(word) + 1):
            end = start + len(word)
            borders = [*text[max(0, start - 1) : start], *text[end : end + 1]]
            if all(map(same_letter, text[start:end], word)) and not any(map(is_word_character, borders)):
                return True
    return False


@pytest.mark.slow
def test_thousands_of_texts_are_judged_by_the_rule():
    rng = random.Random(f"{SEED} keyword")
    words = frozenset({"good", "sick", "größe", "\u03c3"})
    # not what a later Unicode has assigned, where Python and Arrow may disagree
    assigned = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs")]
    near = [
        *"_ -.'19aé\n\0",
        "\u0301",
        "\u200d",
        "\u017f",
        "\u212a",
        "\U0001d400",
        "\U00020000",
        "\U0001f600",
    ]
    parts = [
        *words,
        "GOOD",
        "\u017fic\u212a",
        "SICK",
        "GRÖSSE",
        "GRÖẞE",
        "\u03c2",
        "\u03a3",
        "goodgood",
        "good_good",
        "good good",
    ]

    def text() -> str:
        made = []
        for _ in range(rng.randint(1, 3)):
            made += [
                rng.choice(near),
                rng.choice(parts),
                rng.choice([rng.choice(near), rng.choice(assigned)]),
            ]
        return "".join(rng.sample(made, rng.randint(1, len(made))))

    texts = [text() for _ in range(TEXTS)]
    for made, verdict in zip(texts, verdicts(texts, words), strict=True):
        assert verdict == contains(made, words), made


def test_the_shipped_words_are_good_alone():
    assert effective_words() == GOOD


def test_the_words_are_found_when_the_package_is_a_zip_file(tmp_path):
    package = Path(keyword_file.__file__).parents[2]
    shutil.make_archive(str(tmp_path / "package"), "zip", package.parent, package.name)
    code = "from spark_prep.reviews.classifiers import keyword as k; print(k.__file__, *k.effective_words())"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "package.zip")}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    path, *words = ran.stdout.split()
    assert "package.zip" in path and words == ["good"]


def test_stop_words_are_taken_out(tmp_path):
    (tmp_path / "good.txt").write_text("# ours\nGreat\n\n superb \ngood\n")
    (tmp_path / "stop.txt").write_text("GOOD\n")
    assert effective_words(tmp_path / "good.txt", tmp_path / "stop.txt") == {"great", "superb"}


@pytest.mark.parametrize("entry", ["very good", "good!", "good.*", "good-looking"])
def test_an_entry_that_is_not_one_word_is_refused_with_file_and_line(tmp_path, entry):
    (tmp_path / "good.txt").write_text(f"fine\n{entry}\n")
    with pytest.raises(PreparationError, match=r"good\.txt, line 2: .* is not a single word"):
        effective_words(tmp_path / "good.txt")


def test_no_word_left_and_no_file_are_refused(tmp_path):
    (tmp_path / "words.txt").write_text("good\n")
    with pytest.raises(PreparationError, match="holds no word"):
        effective_words(tmp_path / "words.txt", tmp_path / "words.txt")
    with pytest.raises(PreparationError, match=r"missing\.txt cannot be read"):
        effective_words(tmp_path / "missing.txt")


def test_the_version_changes_with_the_words_and_not_with_their_order():
    nothing = pa.array([], pa.string())
    one = keyword(nothing, frozenset(["good", "fine"]))
    two = keyword(nothing, frozenset(["fine", "good"]))
    assert one.version == two.version != keyword(nothing, GOOD).version
    assert re.fullmatch(r"2-[0-9a-f]{8}", one.version) and one.name == "keyword"


def test_reasons_ids_and_columns():
    found = stage_text(
        "cid,review_str,id_review\n"
        "7,good,1\n"
        ",no customer,2\n"
        " 8 ,bad, +3 \n"
        "9,x,\n"
        "9,x,  \n"
        "9,x,4.0\n"
        "9,x,2147483648\n"
        "9,x,99999999999999999999\n"
        "9,x,1e3\n"
        "9,x,\u0661\n"
        "nine,x,5\n"
        "2147483648,x,6\n"
        '9,"  ",7\n'
        "9,,8\n"
        '9,"x, y",2147483647\n'
        "-9,x,-1\n"
        "-2147483648,x,005\n"
        "9,x,6\x00\n"
        f"9,x,{'0' * 5000}8\n",
        REVIEWS,
    )
    version = keyword(pa.array([], pa.string()), GOOD).version
    assert [tuple(row.values()) for row in found.staged] == [
        (1, 7, 1, "keyword", version, None, None),
        (2, None, 0, "keyword", version, None, None),
        (3, 8, 0, "keyword", version, None, None),
        (2147483647, 9, 0, "keyword", version, None, None),
        (-1, -9, 0, "keyword", version, None, None),
        (5, -2147483648, 0, "keyword", version, None, None),
        (6, 9, 0, "keyword", version, None, None),
        (8, 9, 0, "keyword", version, None, None),
    ]
    assert [(row["reason"], row["record_id"]) for row in found.quarantined] == [
        ("no id_review", None),
        ("no id_review", None),
        ("id_review is not an integer", None),
        ("id_review is not an integer", None),
        ("id_review is not an integer", None),
        ("id_review is not an integer", None),
        ("id_review is not an integer", None),
        ("cid is not an integer", "5"),
        ("cid is not an integer", "6"),
        ("no review_str", "7"),
        ("no review_str", "8"),
    ]
