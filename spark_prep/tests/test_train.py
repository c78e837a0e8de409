"""Training: what is learnt from, how it is measured, and what is written. All reviews are made up here."""

import csv
import json
import random
import re
import sys
import types
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.errors import PySparkRuntimeError

from spark_prep.contract.object_store import create
from spark_prep.errors import PreparationError
from spark_prep.reviews import train
from spark_prep.reviews.classifiers.model import Model, model, read_model
from spark_prep.reviews.classifiers.ngrams import ngrams_of
from spark_prep.reviews.training import fit, learn, measure
from spark_prep.reviews.training.fit import FEWEST_REVIEWS, Fit, Matrix, log_ratios, matrix_of
from spark_prep.reviews.training.labelled import Labelled, read_labelled, read_labels
from spark_prep.reviews.training.measured import COLUMNS
from spark_prep.reviews.training.words import telling_ngrams

NEUTRAL = [
    "the",
    "film",
    "plot",
    "actor",
    "scene",
    "it",
    "was",
    "with",
    "and",
    "then",
    "music",
    "long",
    "again",
    "in",
    "of",
    "a",
]
FOR_IT = ["superb", "gripping", "delightful", "moving"]
AGAINST_IT = ["dreadful", "tedious", "clumsy", "hollow"]
# No one word tells: only the pair does.
PAIRS = {True: "not dull", False: "so dull"}


def review(rng, is_positive):
    words = rng.choices(NEUTRAL, k=20)
    own, other = (FOR_IT, AGAINST_IT) if is_positive else (AGAINST_IT, FOR_IT)
    if rng.random() < 0.3:
        opinion = [PAIRS[is_positive]]
    else:
        opinion = [*rng.choices(own, k=2), *(rng.choices(other, k=1) if rng.random() < 0.3 else ())]
    for word in opinion:
        words.insert(rng.randrange(len(words) + 1), word)
    return " ".join(words)


def reviews(count, seed=1):
    """(id, text, is positive), ordered by label."""
    rng = random.Random(seed)
    labels = [number >= count // 2 for number in range(count)]
    return [
        (1000 + number, review(rng, is_positive), is_positive) for number, is_positive in enumerate(labels)
    ]


class Files:
    def __init__(self, folder):
        self.reviews, self.labels, self.model = (
            folder / "reviews.csv",
            folder / "labels.csv",
            folder / "model",
        )

    def write(self, found, more_reviews=(), more_labels=()):
        lines = [f"7,{text},{id_}" for id_, text, _ in found]
        self.reviews.write_text("\n".join(["cid,review_str,id_review", *lines, *more_reviews]) + "\n")
        labels = [f"{id_},{'pos' if is_positive else 'neg'}" for id_, _, is_positive in found]
        self.labels.write_text("\n".join(["id_review,label", *labels, *more_labels]) + "\n")
        return self

    def read(self, blocks_by=None):
        return read_labelled(str(self.reviews), str(self.labels), blocks_by)


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def trained(files, monkeypatch, *options):
    places = ("--reviews", str(files.reviews), "--labels", str(files.labels), "--model", str(files.model))
    monkeypatch.setattr(sys, "argv", ["train", *places, *options])
    train.main()


@pytest.fixture(scope="module")
def small(spark, tmp_path_factory):
    """A model of 400 reviews, its files, and what was printed."""
    files = Files(tmp_path_factory.mktemp("train")).write(reviews(400))
    with pytest.MonkeyPatch.context() as monkeypatch:
        trained(files, monkeypatch)
    return files


@pytest.mark.slow
def test_a_model_knows_an_opinion_that_it_has_not_read(small):
    unseen = reviews(400, seed=2)
    found = model(pa.array([text for _, text, _ in unseen]), read_model(str(small.model)))
    right = [
        said == is_positive
        for said, (_, _, is_positive) in zip(found.positive_review.to_pylist(), unseen, strict=True)
    ]
    assert sum(right) > 380
    said = model(
        pa.array(["it was so dull", "it was not dull"]), read_model(str(small.model))
    ).positive_review
    assert said.to_pylist() == [0, 1]


@pytest.mark.slow
def test_the_same_input_gives_the_same_model(small, tmp_path, monkeypatch):
    """However many row groups Spark reads it in."""
    monkeypatch.setattr(fit, "REVIEWS_AT_ONCE", 90)
    again = Files(tmp_path).write(reviews(400))
    trained(again, monkeypatch)
    files = ["card.json", "card.md", "measured.csv", "weights.parquet"]
    for name in files:
        assert (again.model / name).read_bytes() == (small.model / name).read_bytes(), name
    assert sorted(file.name for file in again.model.iterdir()) == files


@pytest.mark.slow
def test_the_card(small):
    card = json.loads((small.model / "card.json").read_text())
    figures = card["figures"]
    assert (
        card["learnt_from"]["reviews"] == figures["reviews"] == 400 and card["learnt_from"]["positive"] == 200
    )
    assert figures["accuracy_low"] < figures["accuracy"] < figures["accuracy_high"]
    assert [point["reviews"] for point in card["learning_curve"]] == [80, 160, 240, 320]
    assert len(card["validation"]["accuracy_by_block"]) == 5
    assert np.mean(card["validation"]["accuracy_by_block"]) == pytest.approx(figures["accuracy"])
    # the last point of the curve is judged as the last block is, but for the calibration
    assert card["learning_curve"][-1]["accuracy"] == pytest.approx(
        card["validation"]["accuracy_by_block"][-1], abs=0.05
    )
    assert {*FOR_IT} <= {ngram["ngram"] for ngram in card["ngrams"]["for"]}
    assert {*AGAINST_IT} <= {ngram["ngram"] for ngram in card["ngrams"]["against"]}
    header, measured = csv.reader((small.model / "measured.csv").read_text().splitlines())
    assert tuple(header) == COLUMNS and measured[:2] == ["model", card["version"]]
    confusion = ("true_positive", "false_positive", "false_negative", "true_negative")
    assert [int(count) for count in measured[2:6]] == [figures["confusion"][name] for name in confusion]
    assert {tenth / 10: int(count) for tenth, count in enumerate(measured[6:16]) if count != "0"} == {
        tenth["from"]: tenth["reviews"] for tenth in figures["scores"]
    }
    labels = {id_: "pos" if is_positive else "neg" for id_, _, is_positive in reviews(400)}
    for mistake in card["mistakes"]:
        assert mistake.keys() == {"id_review", "label", "score"}
        assert labels[mistake["id_review"]] == mistake["label"]
        assert (mistake["score"] >= 0.5) == (mistake["label"] == "neg")
    page = (small.model / "card.md").read_text()
    assert f"right in {figures['accuracy']:.1%} of reviews that it has not learnt from" in page
    for _, text, _ in reviews(400):
        assert text not in page


def test_a_block_is_judged_by_a_fit_of_the_others_and_the_model_calibrated_by_all_blocks(files, monkeypatch):
    """With fits that are made up, each of its own weights."""
    labelled = files.write(reviews(200)).read()
    matrix = matrix_of(labelled, measure.blocks_of(labelled.is_positive, None))
    fits = {}

    def made_up(_, matrix, blocks):
        rng = np.random.default_rng(blocks)
        weights = rng.normal(size=len(matrix.slots)) * (rng.random(len(matrix.slots)) < 0.7)
        fits[blocks] = Fit(weights, 0.1 * len(blocks))
        return fits[blocks]

    monkeypatch.setattr(learn, "fit", made_up)
    monkeypatch.setattr(learn, "to_spark", lambda *_: None)
    monkeypatch.setattr(learn, "_at_once", lambda *_: 2)
    no_spark: Any = None
    trained = learn.train(no_spark, matrix, "")
    whole = (0, 1, 2, 3, 4)
    others = [(1, 2, 3, 4), (0, 2, 3, 4), (0, 1, 3, 4), (0, 1, 2, 4), (0, 1, 2, 3)]
    assert fits.keys() == {whole, *others, (0,), (0, 1), (0, 1, 2)}

    texts = pa.array([text for _, text, _ in reviews(200)])
    every = {
        blocks: Model(matrix.slots, found.weights, found.intercept).read(texts)[0]
        for blocks, found in fits.items()
    }
    margins = np.array([every[others[block]][place] for place, block in enumerate(matrix.block)])
    calibration = measure.calibrate(margins, matrix.is_positive)
    assert trained.model.read(texts)[0] == pytest.approx(
        calibration.slope * every[whole] + calibration.offset, rel=1e-4, abs=1e-4
    )
    # what a model of all but the review's block has no weight for
    ngrams = [set(labelled.slots[labelled.places == place].tolist()) for place in range(200)]
    of_fit = {blocks: set(matrix.slots[found.weights != 0].tolist()) for blocks, found in fits.items()}
    assert trained.known.tolist() == [
        len(ngrams[place] & of_fit[others[block]]) for place, block in enumerate(matrix.block)
    ]
    scores = measure.calibrated_across(margins, matrix.is_positive, matrix.block)
    assert trained.scores == pytest.approx(scores)
    last = matrix.block == 4
    for (count, accuracy), blocks in zip(trained.curve, [(0,), (0, 1), (0, 1, 2), (0, 1, 2, 3)], strict=True):
        assert count == 40 * len(blocks)
        assert accuracy == np.mean((every[blocks][last] > 0) == matrix.is_positive[last])


def test_a_fit_that_spark_cannot_hold_is_an_error_that_says_how_much_it_needs(files, monkeypatch):
    labelled = files.write(reviews(200)).read()
    matrix = matrix_of(labelled, measure.blocks_of(labelled.is_positive, None))

    def out_of_memory(*_):
        raise PySparkRuntimeError("Java heap space\nat org.apache.spark…")

    monkeypatch.setattr(learn, "fit", out_of_memory)
    monkeypatch.setattr(learn, "to_spark", lambda *_: None)
    monkeypatch.setattr(learn, "_at_once", lambda *_: 2)
    no_spark: Any = None
    with pytest.raises(
        PreparationError, match=r"could not fit the model \(Java heap space\).* needs about 1\.1 GB"
    ):
        learn.train(no_spark, matrix, "")


@pytest.mark.slow
def test_as_many_fits_at_once_as_the_memory_of_spark_holds(spark, files, monkeypatch):
    labelled = files.write(reviews(200)).read()
    matrix = matrix_of(labelled, measure.blocks_of(labelled.is_positive, None))
    cores = spark.sparkContext.defaultParallelism
    assert learn._at_once(spark, matrix) == cores
    # the tests' Spark has 2 GB
    enormous = matrix._replace(slots=np.zeros(4_000_000), columns=np.zeros(100_000_000, np.int8))
    assert enormous.bytes_of_fit() > 2e9 and learn._at_once(spark, enormous) == 1
    # a machine of four cores and 8 GB
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 1 << 12, "SC_PHYS_PAGES": 1 << 21}.get)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert learn.memory_wanted(matrix) == 2 << 30 and learn.memory_wanted(enormous) == 4 << 30


def test_on_a_cluster_the_ngrams_lie_in_the_models_folder_and_are_removed(tmp_path):
    """A worker cannot read the driver's own folders; not on success alone, since they tell what people wrote."""
    yarn: Any = types.SimpleNamespace(sparkContext=types.SimpleNamespace(master="yarn"))
    with pytest.raises(ZeroDivisionError), train._scratch(yarn, f"{tmp_path}/model") as folder:
        assert folder == f"{tmp_path}/model/_ngrams"
        with create(folder, "ngrams.parquet") as file:
            file.write(b"1")
        raise ZeroDivisionError
    assert not list(tmp_path.rglob("*.parquet"))


def test_the_weights_are_where_loss_and_penalty_balance(spark, tmp_path):
    """The gradient of Σ log(1 + exp(-y margin)) + |w|² / 2C, in the n-grams' ratios, is none at the weights that were learnt."""
    labelled = Files(tmp_path).write(reviews(200)).read()
    matrix = matrix_of(labelled, measure.blocks_of(labelled.is_positive, None))
    learnt = fit.fit(fit.to_spark(spark, matrix, str(tmp_path / "ngrams")), matrix, [0, 1, 2, 3])
    is_learnt_from = matrix.block < 4
    ratios = log_ratios(matrix, is_learnt_from)
    inputs = np.zeros((200, len(ratios)))
    inputs[matrix.places, matrix.columns] = ratios[matrix.columns]
    inputs, is_positive = inputs[is_learnt_from], matrix.is_positive[is_learnt_from]
    of_ratios = np.divide(learnt.weights, ratios, out=np.zeros(len(ratios)), where=ratios != 0)

    def gradient(weights, intercept):
        error = 1 / (1 + np.exp(-(inputs @ weights + intercept))) - is_positive
        return np.append(inputs.T @ error + weights / fit.C, error.sum())

    begin = np.abs(gradient(np.zeros(len(ratios)), 0.0)).max()
    assert np.abs(gradient(of_ratios, learnt.intercept)).max() < 0.01 * begin


def test_ratios_are_of_shares_of_all_ngrams():
    """Five n-grams; of the first, 3 of 7 in positive reviews and 1 of 9 in negative ones."""
    present = {0: "+++-", 1: "--", 2: "++----", 3: "++----", 4: "+-+-"}
    labels = np.array([True] * 3 + [False] * 4)
    pairs = []
    for column, signs in present.items():
        pairs += [(place, column) for place in range(signs.count("+"))]
        pairs += [(3 + place, column) for place in range(signs.count("-"))]
    places, columns = np.array(sorted(pairs)).T
    matrix = Matrix(np.arange(5), places, columns, labels, np.zeros(7, np.int8))
    found = log_ratios(matrix, np.ones(7, bool))
    positive, negative = 9 + 5, 13 + 5
    assert found[0] == pytest.approx(np.log((4 / positive) / (2 / negative)))
    # only two reviews hold it
    assert found[1] == 0
    # log((3 / 14) / (5 / 18)) = -0.26 tells too little
    assert found[2] == found[3] == 0
    assert found[4] == 0 or abs(found[4]) >= 0.3


def test_records_that_would_be_quarantined_are_not_learnt_from(files):
    more = ["7,,1", "7,fine", "7,fine,x", "x,fine,2", "7,again,1000", "7,unlabelled,3"]
    files.write(reviews(200), more_reviews=more, more_labels=["1,pos", "2,pos", "4,neg", "1000,neg"])
    labelled = files.read()
    assert labelled.ids.tolist() == [*range(1000, 1200)]
    assert labelled.is_positive.tolist() == [False] * 100 + [True] * 100
    assert labelled.left_out == {
        "quarantined: no review_str": 1,
        "quarantined: wrong number of fields": 1,
        "quarantined: id_review is not an integer": 1,
        "quarantined: cid is not an integer": 1,
        "reviews whose id came before": 1,
        "reviews without a label": 1,
        "labels without a review": 3,
    }
    first = reviews(200)[0][1]
    assert labelled.slots[labelled.places == 0].tolist() == sorted(ngrams_of(first))


def test_a_compressed_file_is_read(files, tmp_path):
    import gzip

    files.write(reviews(200))
    packed = tmp_path / "reviews.csv.gz"
    packed.write_bytes(gzip.compress(files.reviews.read_bytes()))
    assert len(read_labelled(str(packed), str(files.labels)).ids) == 200


@pytest.mark.parametrize(
    ("positive", "negative", "message"),
    [
        (
            99,
            100,
            "too few labelled reviews to learn from: 99 positive and 100 negative, where 200 are needed",
        ),
        (300, 0, "300 positive and 0 negative, where 200 are needed, at least 20 of each"),
        (19, 300, "19 positive and 300 negative"),
    ],
)
def test_too_few_labels_are_refused_with_what_is_missing(files, positive, negative, message):
    found = reviews(600)
    files.write([*found[:negative], *found[300 : 300 + positive]], more_reviews=["7,unlabelled,1"])
    with pytest.raises(PreparationError, match=message) as refusal:
        files.read()
    assert "; 1 reviews without a label" in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,label\n1,pos\n", "has no column id_review; its first line is to name id_review,label"),
        ("id_review\n1\n", "has no column label"),
        ("", "has no column id_review and no column label"),
        ("id_review,label,label\n1,pos,neg\n", "has the column label twice"),
        ("id_review,label\n1,pos\n2,good\n", "line 3: the label is 'good'; write pos or neg, or 1 or 0"),
        ("id_review,label\nx,pos\n", "line 2: the id_review 'x' is no number"),
        # more digits than Python reads
        (f"id_review,label\n{'9' * 5000},pos\n", "line 2: the id_review '999"),
        ("id_review,label\n1\n", "line 2: the label is ''"),
        ("id_review,label\n1,pos\n1,neg\n", "line 3: the review 1 was given the other label before"),
    ],
)
def test_labels_that_are_none_are_refused_with_their_line(files, content, message):
    files.labels.write_text(content)
    with pytest.raises(PreparationError, match=re.escape(f"{files.labels}")) as refusal:
        read_labels(str(files.labels))
    assert message in str(refusal.value)


def test_labels_are_words_or_digits(files):
    files.labels.write_bytes(
        "\ufeffid_review,label,film\r\n 1 , POS ,a\r\n2,0,b\r\n3,1,a\r\n3,1,a\r\n4,neg,\r\n".encode()
    )
    labels = read_labels(str(files.labels), "film")
    assert labels.is_positive == {1: True, 2: False, 3: True, 4: False}
    assert labels.groups == {1: "a", 2: "b", 3: "a", 4: ""}
    with pytest.raises(PreparationError, match="has no column director"):
        read_labels(str(files.labels), "director")


def test_a_file_that_is_missing_is_named(files):
    files.write(reviews(200))
    files.labels.unlink()
    with pytest.raises(PreparationError, match=r"labels\.csv cannot be read"):
        files.read()
    files.write(reviews(200))
    files.reviews.unlink()
    with pytest.raises(PreparationError, match=r"reviews\.csv cannot be read"):
        files.read()


def test_blocks_are_neighbours_of_each_label():
    is_positive = np.array([True, False] * 5 + [False] * 5)
    block = measure.blocks_of(is_positive, None)
    assert block[is_positive].tolist() == [0, 1, 2, 3, 4]
    assert block[~is_positive].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_blocks_by_a_column_hold_whole_groups():
    rng = random.Random(1)
    groups = [f"film {rng.randrange(30)}" for _ in range(500)]
    is_positive = np.array([rng.random() < 0.5 for _ in groups])
    block = measure.blocks_of(is_positive, groups)
    assert len({*zip(groups, block.tolist(), strict=True)}) == len({*groups})
    assert np.bincount(block).min() > 80
    with pytest.raises(PreparationError, match="4 values of the column for --blocks-by do not make 5 blocks"):
        measure.blocks_of(is_positive, [group[-1:] if group[-1:] in "012" else "3" for group in groups])


def test_the_column_of_customers_is_in_the_reviews(files):
    files.write(reviews(200))
    files.reviews.write_text(files.reviews.read_text().replace("\n7,", "\n8,", 3))
    assert files.read("cid").groups == ["8"] * 3 + ["7"] * 197


def test_figures_of_ten_reviews():
    scores = np.array([0.95, 0.9, 0.8, 0.7, 0.55, 0.45, 0.3, 0.2, 0.1, 0.05])
    is_positive = np.array([True, True, False, True, True, True, False, True, False, False])
    found = measure.figures(scores, is_positive)
    assert found["confusion"] == {
        "true_positive": 4,
        "false_positive": 1,
        "false_negative": 2,
        "true_negative": 3,
    }
    assert found["accuracy"] == 0.7 and found["precision"] == 0.8 and found["recall"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 * 0.8 * (2 / 3) / (0.8 + 2 / 3)) and found["unsure"] == 0.2
    # Wilson's interval of 7 of 10, from a table
    assert (found["accuracy_low"], found["accuracy_high"]) == pytest.approx((0.3968, 0.8922), abs=1e-4)
    pairs = [
        (s > t)
        for s, p in zip(scores, is_positive, strict=True)
        if p
        for t, n in zip(scores, is_positive, strict=True)
        if not n
    ]
    assert found["auc"] == pytest.approx(sum(pairs) / 24)
    gaps = [0.05, 0, 0.8, 0.3, 0.45, 0.55, 0.3, 0.8, 0.1, 0.05]
    # 0.95 and 0.9 share a tenth
    assert found["calibration_error"] == pytest.approx((2 * 0.075 + sum(gaps[2:])) / 10)
    assert measure.worst_mistakes(scores, is_positive, 2) == [2, 7]


def test_equal_scores_count_half():
    assert measure.auc(np.array([0.5, 0.5, 0.5, 0.9]), np.array([True, False, False, True])) == pytest.approx(
        3 / 4
    )


def test_nothing_called_positive_has_no_precision():
    assert measure.figures(np.array([0.1, 0.2]), np.array([False, True]))["precision"] is None


def test_a_calibration_finds_what_the_margins_were_made_of():
    rng = np.random.default_rng(1)
    margins = rng.normal(0, 4, 40_000)
    is_positive = rng.random(40_000) < 1 / (1 + np.exp(-(0.5 * margins - 0.7)))
    found = measure.calibrate(margins, is_positive)
    assert found == pytest.approx((0.5, -0.7), abs=0.03)
    block = np.arange(40_000) % 5
    scores = measure.calibrated_across(margins, is_positive, block)
    assert measure.calibration_error(scores, is_positive) < 0.01
    assert measure.calibration_error(1 / (1 + np.exp(-margins)), is_positive) > 0.05


def test_a_block_is_not_calibrated_by_itself():
    rng = np.random.default_rng(2)
    margins = rng.normal(0, 2, 1000)
    is_positive = rng.random(1000) < 1 / (1 + np.exp(-margins))
    block = np.arange(1000) % 5
    before = measure.calibrated_across(margins, is_positive, block)
    after = measure.calibrated_across(margins, np.where(block == 3, ~is_positive, is_positive), block)
    assert (before[block == 3] == after[block == 3]).all() and (before[block == 2] != after[block == 2]).all()


def test_margins_that_tell_the_labels_apart_do_not_run_away():
    found = measure.calibrate(np.array([-2.0] * 50 + [2.0] * 50), np.array([False] * 50 + [True] * 50))
    assert np.isfinite(found).all() and 0 < found.slope < 5


def test_an_ngram_is_named_by_the_reviews_that_hold_it(files):
    files.write(reviews(200))
    labelled: Labelled = files.read()
    matrix = matrix_of(labelled, np.zeros(200, np.int8))
    ngrams = [(ngrams_of(text), is_positive) for _, text, is_positive in reviews(200)]
    weights = np.linspace(-1, 1, len(matrix.slots)).astype(np.float32)
    made_up = Model(matrix.slots.astype(np.int32), weights, 0.0)
    for_it, against_it = telling_ngrams(made_up, matrix, labelled.ids, str(files.reviews))
    assert [ngram.weight for ngram in for_it] == weights[::-1][:30].tolist()
    assert [ngram.weight for ngram in against_it] == weights[:30].tolist()
    for telling, slot in zip(
        for_it + against_it, [*matrix.slots[::-1][:30], *matrix.slots[:30]], strict=True
    ):
        holding = [is_positive for of_text, is_positive in ngrams if slot in of_text]
        assert telling.ngram in {of_text[slot] for of_text, _ in ngrams if slot in of_text}
        assert telling.reviews == len(holding) >= FEWEST_REVIEWS and telling.positive == pytest.approx(
            np.mean(holding)
        )
