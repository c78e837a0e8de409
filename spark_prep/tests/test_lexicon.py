"""The classifier by words for and against: what a text weighs, which words it knows, and how a command gets it."""

import argparse
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from spark_prep.errors import PreparationError
from spark_prep.reviews.classifiers.chosen import add_classifier_options, chosen_classifier
from spark_prep.reviews.classifiers.lexicon import WORDS, lexicon, read_words


@pytest.fixture
def folder(tmp_path):
    """Words of a few lines each, so that weights can be added up by hand."""
    own = tmp_path / "words"
    own.mkdir()
    for name, lines in {
        "positive.txt": ["# for", "good", "great 2", "worth seeing 3"],
        "negative.txt": ["bad 2", "waste of time 3", "waste 1"],
        "negations.txt": ["not"],
        "intensifiers.txt": ["very 1.5", "fairly 0.5"],
        "contrasts.txt": ["but"],
    }.items():
        (own / name).write_text("\n".join(lines) + "\n")
    return own


def score(text, folder):
    """0.5 until something weighs: (for + 2) / (for + against + 4)."""
    (found,) = lexicon(pa.array([text], pa.string()), read_words(folder)).score.to_pylist()
    return found


# Neutral words behind the text, so that it is no verdict, which weighs half as much again.
THEN = " then" * 40


@pytest.mark.parametrize(
    ("text", "for_it", "against"),
    [
        ("then", 0, 0),
        ("good", 1, 0),
        ("GOOD<br />Great", 3, 0),
        # half as much again for what speaks against
        ("bad", 0, 3),
        ("waste", 0, 1.5),
        ("a waste of time", 0, 4.5),
        ("a waste of good time", 1, 1.5),
        ("worth seeing", 3, 0),
        ("worth", 0, 0),
        ("very good", 1.5, 0),
        ("fairly bad", 0, 1.5),
        ("very fairly good", 0.5, 0),
        # turned, but not into the whole opposite
        ("not good", 0, 0.6),
        ("not a very good", 0, 0.9),
        ("not bad", 1.8, 0),
        ("not in any way good", 1, 0),
        ("not then, good", 1, 0),
        ("not. good", 1, 0),
        # conceded, in its sentence only
        ("good but bad", 0.5, 3),
        ("good. but bad", 1, 3),
        ("goodness badly", 0, 0),
        ("it’s good", 1, 0),
    ],
)
def test_what_a_text_weighs(folder, text, for_it, against):
    assert score(text + THEN, folder) == pytest.approx((for_it + 2) / (for_it + against + 4))


def test_the_verdict_at_the_end_weighs_half_as_much_again(folder):
    assert score("then" + THEN + " good", folder) == pytest.approx(3.5 / 5.5)


def test_a_review_is_positive_if_more_speaks_for_it(folder):
    texts = ["good", "then", "bad", "", None]
    found = lexicon(pa.array(texts, pa.string()), read_words(folder))
    assert found.positive_review.to_pylist() == [1, 0, 0, 0, None]
    assert found.positive_review.type == pa.int32() and found.score.type == pa.float64()
    assert found.score.to_pylist()[1] == 0.5 and found.score.null_count == 1
    assert found.name == "lexicon"


def test_the_shipped_words_know_an_opinion():
    """By the keyword rule, the first three are negative and the last three positive: "good"."""
    texts = [
        "A masterpiece, beautifully acted.",
        "I loved every minute of it",
        "Not bad at all; highly recommended!",
        "Not good. A complete waste of time.",
        "It has one good scene, but the rest is dull, badly written and boring.",
        "So bad that it isn't even good for a laugh.",
    ]
    found = lexicon(pa.array(texts), read_words())
    assert found.positive_review.to_pylist() == [1, 1, 1, 0, 0, 0]


def test_the_version_changes_with_any_word_and_not_with_comments(folder):
    first = read_words(folder).version
    for name in ("positive", "negative", "negations", "intensifiers", "contrasts"):
        file = folder / f"{name}.txt"
        before = file.read_text()
        file.write_text(before + "# a comment\n\n")
        assert read_words(folder).version == first
        file.write_text(before + ("new 1.5\n" if name == "intensifiers" else "new\n"))
        assert read_words(folder).version != first, name
        file.write_text(before)


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("positive.txt", "3", r"positive\.txt, line 5: '3' is not a word or phrase and a strength"),
        ("negative.txt", "a.b", r"negative\.txt, line 4: 'a\.b' is not a word or phrase"),
        ("negative.txt", "Good", r"negative\.txt, line 4: 'good' is also in .*positive\.txt, line 2"),
        (
            "intensifiers.txt",
            "most",
            r"intensifiers\.txt, line 3: 'most' is not a word and a factor such as 1\.5",
        ),
        # what no text would ever be found to hold
        (
            "positive.txt",
            "superb 4",
            r"positive\.txt, line 5: 'superb 4' is not a word or phrase and a strength",
        ),
        ("positive.txt", "!", r"positive\.txt, line 5: '!' is not a word or phrase"),
        ("negations.txt", "in no way", r"negations\.txt, line 2: 'in no way' is not a single word"),
        ("contrasts.txt", ";", r"contrasts\.txt, line 2: ';' is not a single word"),
        ("intensifiers.txt", "so-and- 2", r"intensifiers\.txt, line 3: 'so-and-' is not a single word"),
        ("negations.txt", "NOT", r"negations\.txt, line 2: 'not' comes twice"),
        ("intensifiers.txt", "very 2", r"intensifiers\.txt, line 3: 'very' comes twice"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(folder, name, line, message):
    with (folder / name).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(PreparationError, match=message):
        read_words(folder)


def test_a_list_may_have_the_apostrophe_of_word_processors(folder):
    for name, line in (("positive.txt", "can’t complain 3"), ("negations.txt", "isn’t")):
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    assert score("I can't complain" + THEN, folder) == score("I can’t complain" + THEN, folder) == 5 / 7
    assert score("it isn't good" + THEN, folder) == score("it isn’t good" + THEN, folder) == 2 / 4.6


def test_a_side_without_a_word_is_refused(folder):
    """By the other side alone, every review would get the same verdict."""
    (folder / "negative.txt").write_text("# none\n")
    with pytest.raises(PreparationError, match=r"negative\.txt holds no word"):
        read_words(folder)


def test_a_number_may_end_a_phrase_that_has_a_strength(folder):
    with (folder / "positive.txt").open("a") as file:
        file.write("perfect 10 3\n")
    assert score("a perfect 10" + THEN, folder) == 5 / 7


def test_a_list_that_is_missing_is_named(folder):
    (folder / "contrasts.txt").unlink()
    with pytest.raises(PreparationError, match=r"contrasts\.txt cannot be read .* Copy the folder"):
        read_words(folder)


def chosen(*arguments):
    parser = argparse.ArgumentParser()
    add_classifier_options(parser)
    return chosen_classifier(parser.parse_args(arguments))(pa.array(["good", "fine"]))


def test_a_command_uses_keyword_unless_told(monkeypatch, folder):
    monkeypatch.delenv("CLASSIFIER", raising=False)
    assert chosen().name == "keyword"
    assert chosen("--classifier", "lexicon").name == "lexicon"
    monkeypatch.setenv("CLASSIFIER", "lexicon")
    assert chosen().name == "lexicon"
    assert chosen("--lexicon", str(folder)).version == read_words(folder).version
    assert chosen("--classifier", "keyword").name == "keyword"


def test_words_of_ones_own_are_also_a_setting(monkeypatch, folder, tmp_path):
    """`make run` and Airflow give a command no options."""
    monkeypatch.setenv("LEXICON", str(folder))
    assert chosen("--classifier", "lexicon").version == read_words(folder).version
    assert chosen("--classifier", "lexicon", "--lexicon", str(WORDS)).version == read_words().version
    for setting, word in (("GOOD_WORDS", "fine\ngood"), ("STOP_WORDS", "good")):
        (tmp_path / setting).write_text(word)
        monkeypatch.setenv(setting, str(tmp_path / setting))
    assert chosen("--classifier", "keyword").positive_review.to_pylist() == [0, 1]
    monkeypatch.setenv("LEXICON", "")
    assert chosen("--classifier", "lexicon").version == read_words().version


def test_an_unknown_classifier_is_refused_with_the_known_ones(monkeypatch):
    monkeypatch.setenv("CLASSIFIER", "oracle")
    with pytest.raises(PreparationError, match=r"no classifier 'oracle': .* take keyword, lexicon, model"):
        chosen()


def test_a_folder_of_ones_own_begins_as_a_copy(tmp_path):
    shutil.copytree(Path(str(WORDS)), tmp_path / "own")
    assert read_words(tmp_path / "own") == read_words()
