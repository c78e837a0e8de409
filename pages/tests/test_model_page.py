"""The card of a model as a page. Without a warehouse."""

import json
from typing import Any

import pytest

from pages.report.build import WIDTHS
from pages.report.card import Card, read_card
from pages.report.csv_file import csv_text
from pages.report.pages.model import (
    PAGE,
    at_a_glance,
    calibration,
    confusion,
    learning_curve,
    limits,
    weights,
)
from pages.tests.card import VERSION, card, write_card


def read(folder, **changed) -> Card:
    found, why = read_card(str(write_card(folder, **changed)))
    assert found, why
    return found


def used(version: str, **names) -> list[dict[str, Any]]:
    return [{"classifier_version": version, "first_day": "2021-01-01", "last_day": "2021-01-05", **names}]


def test_it_begins_with_how_often_the_model_is_right_and_what_for_it_was_used(tmp_path):
    found = read(tmp_path)
    right = (
        "Model 1-0123456789abcdef learnt on 2021-02-01 from 1,000 labelled reviews, and is right in 91.2 % (89.3 % to 92.8 %) of reviews that it "
        "has not learnt from. "
    )
    note = " They were made up."
    none = "It judged none of the reviews in the warehouse."
    assert at_a_glance(found, [], []).sentence == right + none + note
    assert at_a_glance(found, used("1-other"), []).sentence == right + none + note
    decided = "It decided what is positive from 2021-01-01 to 2021-01-05."
    assert at_a_glance(found, used(VERSION), []).sentence == right + decided + note
    pairs = used("2-keyword", other_classifier_version=VERSION)
    assert (
        "It ran beside the classifier that decides" in at_a_glance(found, used("2-keyword"), pairs).sentence
    )
    assert at_a_glance(read(tmp_path, note=""), [], []).sentence == right + none


def test_what_is_drawn_has_its_numbers_in_a_table(tmp_path):
    found = read(tmp_path)
    assert confusion(found).sentence == (
        "Wrong: 88 of 1,000 (8.8 %) reviews, 46 negative ones called positive and 42 positive ones called negative."
    )
    assert confusion(found).rows == [("positive", 470, 42), ("negative", 46, 442)]
    assert [row[1:] for row in calibration(found).rows] == [
        (tenth["reviews"], tenth["mean_score"], tenth["positive"]) for tenth in card()["figures"]["scores"]
    ]
    assert learning_curve(found).rows == [(200, 0.82), (400, 0.87), (600, 0.89), (800, 0.9)]
    assert (
        weights(found).sentence
        == "The largest weights: “superb” “<b>” for it and “=dull” “so so” against it."
    )
    # what a spreadsheet would run is text
    assert "'=dull,-2.25,40,0.1" in csv_text(weights(found))
    assert limits(found).rows == [(purpose,) for purpose in card()["not_for"]]
    for shown in (
        at_a_glance(found, [], []),
        confusion(found),
        calibration(found),
        learning_curve(found),
        weights(found),
    ):
        assert shown.chart and all(shown.chart(width) for width in WIDTHS.values())
    assert len(PAGE.figures) == 6 and all(figure.is_of_card for figure in PAGE.figures)


def test_a_model_without_a_share_or_a_weight_is_shown_all_the_same(tmp_path):
    figures = card()["figures"] | {"precision": None, "unknown_ngram_share": None}
    found = read(tmp_path, figures=figures, ngrams={"for": [], "against": []})
    assert ("Precision (positive of those called positive)", "–") in at_a_glance(found, [], []).rows
    assert weights(found).sentence == "No n-gram has a weight." and weights(found).chart is None


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        "null",
        json.dumps(card(figures={})),
        json.dumps(card(not_for=None)),
        json.dumps(card(learning_curve=[1])),
        json.dumps(card(learning_curve=[])),
    ],
)
def test_a_file_that_is_no_card_does_not_end_the_report(tmp_path, content):
    (tmp_path / "card.json").write_text(content)
    found, why = read_card(str(tmp_path))
    assert found is None and "has no card that this version of the project reads" in why


def test_without_a_card_the_page_says_why(tmp_path):
    assert read_card("") == (
        None,
        "No model was named: MODEL_URI is the folder that make train has written, and shows its card here.",
    )
    found, why = read_card(f"{tmp_path}/none")
    assert found is None and why.startswith(f"The model's card in {tmp_path}/none cannot be read: ")
