"""The learnt classifier: which n-grams a text has, what a model makes of them, and which folders are no models."""

import argparse
import json
import pickle
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spark_prep.errors import PreparationError
from spark_prep.reviews.classifiers.chosen import add_classifier_options, chosen_classifier
from spark_prep.reviews.classifiers.model import SCHEMA, Model, model, read_model
from spark_prep.reviews.classifiers.ngrams import BATCH_BYTES, SLOTS, ngrams_of, slots_of

MASK = (1 << 64) - 1


def mixed(number):
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        number = (number ^ (number >> 33)) * factor & MASK
    return number ^ (number >> 33)


def slot(ngram):
    """Of words with a blank between, one byte and one word after the other."""
    words = ngram.split(" ")
    joined = len(words)
    for word in words:
        polynomial, power = 0, 1
        for byte in word.encode():
            polynomial = polynomial + (byte + 1) * power & MASK
            power = power * 0x9E3779B97F4A7C15 & MASK
        joined = mixed(joined * 0xC2B2AE3D27D4EB4F + mixed(polynomial) & MASK)
    return joined % SLOTS


def ngrams(text):
    words = re.findall(
        r"(?:[^\W_]|[^\x00-\x7f])+(?:'(?:[^\W_]|[^\x00-\x7f])+)*|[!?]", text.lower().replace("<br />", " ")
    )
    return {" ".join(words[place : place + n]) for n in (1, 2, 3) for place in range(len(words) - n + 1)}


TEXTS = [
    "It's good! Isn't it?",
    "GOOD<br />Good good",
    "'quoted' rock'n'roll ''tis' o'",
    "under_score 2001: a 10/10",
    "Ça va très — “bien” ÉTÉ",
    "a",
    "?!?",
    "",
    " . , ",
    "' ''",
]


def slots_by_text(texts):
    places, slots = slots_of(pa.array(texts, pa.string()))
    return [slots[places == place].tolist() for place in range(len(texts))]


def test_the_ngrams_of_a_text():
    assert ngrams("It's good! Isn't it?") == {
        *("it's", "good", "!", "isn't", "it", "?"),
        *("it's good", "good !", "! isn't", "isn't it", "it ?"),
        *("it's good !", "good ! isn't", "! isn't it", "isn't it ?"),
    }
    assert ngrams("'quoted' o'") == {"quoted", "o", "quoted o"}
    for text, slots in zip(TEXTS, slots_by_text(TEXTS), strict=True):
        assert slots == sorted({slot(ngram) for ngram in ngrams(text)}), text
        assert set(ngrams_of(text).values()) == ngrams(text), text
        assert all(slot(ngram) == number for number, ngram in ngrams_of(text).items())


def test_no_ngram_reaches_into_the_next_text_however_they_are_batched():
    long = "one two three four! " * (BATCH_BYTES // 19)
    texts = ["one two", None, *TEXTS, long, "three", long, "", "two one two"]
    expected = [slots_by_text([text])[0] for text in texts]
    assert slots_by_text(texts) == expected
    assert expected[0] == sorted(map(slot, ("one", "two", "one two"))) and expected[1] == []
    shifted = pa.array(["before", *texts], pa.string())[1:]
    assert slots_of(shifted)[1].tolist() == [number for slots in expected for number in slots]
    assert slots_of(pa.array([], pa.string()))[0].tolist() == []


def of_words(intercept, **weights):
    by_slot = sorted((slot(ngram.replace("_", " ")), weight) for ngram, weight in weights.items())
    slots, values = zip(*by_slot, strict=True)
    return Model(np.array(slots, np.int32), np.array(values, np.float32), intercept)


WEIGHTS = of_words(-0.25, good=1.5, bad=-2, not_good=-2.5)


def test_a_score_is_the_probability_of_the_summed_weights():
    texts = ["Good!", "good good good", "a bad one", "Not good", "nothing", "", None]
    found = model(pa.array(texts), WEIGHTS)
    margins = [1.25, 1.25, -2.25, -1.25, -0.25, -0.25]
    expected = [1 / (1 + np.e**-margin) for margin in margins]
    assert found.score.to_pylist() == [*(pytest.approx(score, abs=5e-7) for score in expected), None]
    assert found.positive_review.to_pylist() == [1, 1, 0, 0, 0, 0, None]
    assert found.positive_review.type == pa.int32() and found.score.type == pa.float64()
    assert (found.name, found.version) == ("model", WEIGHTS.version)


def test_ngrams_without_a_weight_are_unknown():
    """Each n-gram of a text counts once: "not", "good" and "not good", of which the first has none."""
    texts = ["Not good", "good", "good good good", "so so", "", None, "."]
    shares = model(pa.array(texts), WEIGHTS).unknown_ngrams
    assert shares is not None and shares.type == pa.float64()
    # "good", "good good" and "good good good": two of three
    assert shares.to_pylist() == [0.333333, 0, 0.666667, 1, None, None, None]


def test_half_is_positive_and_no_weight_is_too_large():
    found = model(pa.array(["", "good", "bad"]), of_words(0.0, good=5000, bad=-5000))
    assert found.score.to_pylist() == [0.5, 1, 0] and found.positive_review.to_pylist() == [1, 1, 0]


def test_a_score_does_not_depend_on_what_else_is_in_the_batch():
    rng = np.random.default_rng(1)
    slots = np.flatnonzero(rng.random(SLOTS) < 0.3).astype(np.int32)
    weights = Model(slots, rng.normal(size=len(slots)).astype(np.float32), 0.1)
    texts = [" ".join(rng.choice(["good", "bad", "plot", "the", "a", "!"], 30)) for _ in range(200)]
    together = model(pa.array(texts), weights).score.to_pylist()
    assert together == [model(pa.array([text]), weights).score[0].as_py() for text in texts]
    assert len(set(together)) > 100


def test_what_is_sent_to_workers_is_small():
    WEIGHTS.read(pa.array(["good"]))
    sent = pickle.dumps(WEIGHTS)
    assert len(sent) < 2000
    assert pickle.loads(sent).version == WEIGHTS.version  # noqa: S301 - its own


def test_the_version_is_of_the_content():
    other = [
        of_words(-0.25, good=1.5, bad=-2, not_bad=-2.5),
        of_words(-0.25, good=1.5, bad=-2, not_good=-2.25),
        of_words(-0.5, good=1.5, bad=-2, not_good=-2.5),
    ]
    assert len({WEIGHTS.version, *(weights.version for weights in other)}) == 4
    assert WEIGHTS.version == of_words(-0.25, not_good=-2.5, bad=-2, good=1.5).version


CARD = {"format_version": 1, "version": WEIGHTS.version, "intercept": WEIGHTS.intercept}


def write(folder, weights=None, **card):
    """What is read of a model's folder; card.md is for people."""
    folder.mkdir(exist_ok=True)
    table = pa.table([WEIGHTS.slots, WEIGHTS.weights], schema=SCHEMA) if weights is None else weights
    pq.write_table(table, folder / "weights.parquet")
    (folder / "card.json").write_text(json.dumps(CARD | card))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "model")


def test_a_folder_is_read(folder):
    found = read_model(str(folder))
    assert found.version == WEIGHTS.version and found.intercept == -0.25
    assert found.read(pa.array(["not good"]))[0].tolist() == [-1.25]


def test_a_bucket_is_read(folder, bucket):
    import boto3

    for file in folder.iterdir():
        boto3.client("s3").upload_file(str(file), bucket, f"models/{file.name}")
    assert read_model(f"s3://{bucket}/models").version == WEIGHTS.version
    with pytest.raises(
        PreparationError, match=f"s3://{bucket}/other is no model: there is no card.json in it"
    ):
        read_model(f"s3://{bucket}/other")


def refused(folder):
    with pytest.raises(PreparationError) as refusal:
        read_model(str(folder))
    assert str(folder) in str(refusal.value)
    return str(refusal.value)


def test_a_folder_that_is_no_model_is_refused(tmp_path, folder):
    assert "there is no card.json in it; --model and MODEL_URI name" in refused(tmp_path)
    assert "there is no card.json in it" in refused(tmp_path / "nowhere")
    assert "there is no card.json in it" in refused(folder / "card.json")
    (folder / "weights.parquet").unlink()
    assert "there is no weights.parquet in it" in refused(folder)


def test_a_model_of_another_format_is_refused(folder):
    assert "has format 2, and this version of the project reads format 1: train it again" in refused(
        write(folder, format_version=2)
    )


def test_a_model_that_breaks_off_is_refused_wherever_it_does(folder):
    for name in ("weights.parquet", "card.json"):
        whole = (folder / name).read_bytes()
        for length in range(0, len(whole), 7):
            (folder / name).write_bytes(whole[:length])
            assert "is damaged" in refused(folder)
        (folder / name).write_bytes(whole)
    read_model(str(folder))


@pytest.mark.parametrize(
    ("slots", "weights"),
    [([5, 4], [1, 1]), ([4, 4], [1, 1]), ([-1, 4], [1, 1]), ([4, SLOTS], [1, 1]), ([4, 5], [1, np.nan])],
)
def test_weights_that_are_none_are_refused(folder, slots, weights):
    table = pa.table([pa.array(slots, pa.int32()), pa.array(weights, pa.float32())], schema=SCHEMA)
    assert "does not hold a finite weight for each of some slots" in refused(write(folder, table))


def test_weights_of_another_kind_are_refused(folder):
    assert "is damaged" in refused(write(folder, pa.table({"slot": [1, 2], "weight": ["a", "b"]})))
    assert "is damaged" in refused(write(folder, pa.table({"slot": [1, 2]})))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "9" * 400])
def test_an_intercept_that_is_no_number_is_refused_even_if_the_version_is_its_own(folder, number):
    """Else every score would be NaN, or every review positive."""
    intercept = float(number)
    own = Model(WEIGHTS.slots, WEIGHTS.weights, intercept).version
    (folder / "card.json").write_text(f'{{"format_version": 1, "version": "{own}", "intercept": {number}}}')
    assert "is damaged" in refused(folder)


def test_a_card_that_json_cannot_take_in_is_refused(folder):
    (folder / "card.json").write_text("[" * 100_000)
    assert "is damaged" in refused(folder)


def test_weights_under_the_card_of_others_are_refused(folder):
    others = of_words(-0.25, good=1.5)
    write(folder, pa.table([others.slots, others.weights], schema=SCHEMA))
    assert f"its weights are version {others.version}, its card is of version {WEIGHTS.version}" in refused(
        folder
    )
    assert "is damaged" in refused(write(folder, intercept=0.5))
    assert "is damaged" in refused(write(folder, intercept=None))


def chosen(*arguments):
    parser = argparse.ArgumentParser()
    add_classifier_options(parser)
    return chosen_classifier(parser.parse_args(arguments))(pa.array(["good", "fine"]))


def test_a_command_takes_the_model_that_is_named(folder, monkeypatch):
    monkeypatch.delenv("MODEL_URI", raising=False)
    assert chosen("--classifier", "model", "--model", str(folder)).version == WEIGHTS.version
    with pytest.raises(PreparationError, match=r"needs a model: name a folder .* by --model or MODEL_URI"):
        chosen("--classifier", "model")
    monkeypatch.setenv("CLASSIFIER", "model")
    monkeypatch.setenv("MODEL_URI", str(folder))
    assert chosen().name == "model"
    with pytest.raises(PreparationError, match=r"write 's3://bucket/model', or an absolute path"):
        chosen("--model", "s3:/bucket/model")


def test_a_wrong_model_fails_before_anything_is_read_or_staged(lake):
    lake.deliver("movie_review", "2021-01-01", "cid,review_str,id_review\n1,good,1\n")
    command = ("spark_prep.reviews.classify_reviews", "--date", "2021-01-01", "--classifier", "model")
    ran = subprocess.run(
        [sys.executable, "-m", *command, "--model", str(lake.root)],
        env=lake.settings | {"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.stdout, ran.returncode) == ("", 2) and ran.stderr.startswith(
        f"error: {lake.root} is no model"
    )
    assert not (lake.root / "staging").exists()
