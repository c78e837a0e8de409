"""The figures that are shipped with the classifiers: of what is shipped, and the same wherever they are quoted."""

import csv

import pyarrow as pa
import pytest

from ci.staged_sample import ROOT
from spark_prep.reviews.classifiers.keyword import effective_words, keyword
from spark_prep.reviews.classifiers.lexicon import WORDS, lexicon, read_words
from spark_prep.reviews.training.measured import COLUMNS, SEED

SHIPPED = {
    "keyword": lambda texts: keyword(texts, effective_words()),
    "lexicon": lambda texts: lexicon(texts, read_words(WORDS)),
}


def rows() -> dict[str, dict]:
    """Of what is shipped; whoever has a model or words of their own adds lines."""
    with (ROOT / SEED).open(encoding="utf-8") as seed:
        lines = csv.DictReader(seed)
        assert tuple(lines.fieldnames or ()) == COLUMNS
        found = {(row["classifier"], row["classifier_version"]): row for row in lines}
    versions = {name: said(pa.array(["a text"])).version for name, said in SHIPPED.items()}
    return {name: found[name, version] for name, version in versions.items() if (name, version) in found}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_figures_are_of_the_classifier_that_is_shipped(name):
    assert name in rows(), (
        "the rule or its words changed: measure it again (python -m spark_prep.reviews.measure_classifier), replace its line of "
        f"{SEED}, and the figures in the docs"
    )


@pytest.mark.parametrize(("name", "files"), [
    ("keyword", ["README.md", "docs/tables.md", "docs/decisions/0013-keyword-rule-stays-the-default.md", "dbt_project/models/docs/overview.md"]),
    ("lexicon", ["README.md", "docs/how_to/add_a_classifier.md"]),
])  # fmt: skip
def test_the_docs_quote_these_figures(name, files):
    row = rows()[name]
    right, wrong = (
        sum(int(row[f"{kind}_{label}"]) for label in ("positives", "negatives")) for kind in ("true", "false")
    )
    assert right + wrong == 25_000
    for file in files:
        assert f"{right / 250:.1f} %" in (ROOT / file).read_text(encoding="utf-8"), file
