"""The semantic layer: the metrics as MetricFlow (`mf query`) answers them, against the sample's answers."""

import csv
import os
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from ci import resident
from ci.staged_sample import ROOT, Warehouse
from demo.feeds.states import region_of

METRICS = (
    "review_count", "positive_reviews", "positive_review_share", "amount_spent", "amount_spent_by_reviewers",
    "customers", "reviewers", "spend_per_customer", "spend_per_reviewer", "reviews_per_reviewer",
)  # fmt: skip

OF_PROFILES = ("profiles", "profile_spend", "profile_orders", "spend_per_profile")
OF_COHORTS = ("cohort_customers", "cohort_customers_active", "retention")
# Of pairs of classifiers.
OF_PAIRS = ("compared_reviews", "agreed_reviews", "classifier_agreement")

SEASONS = ("Winter", "Spring", "Summer", "Fall")

# What MetricFlow calls a grouping -> its value for a row of the answers.
BY_REVIEW = {
    "dim_location__region": lambda row: region_of(row["location"]) or "Unknown",
    "dim_devices__device": lambda row: row["device"] or "Unknown",
    "dim_date__season": lambda row: _season(row["log_date"]),
}
BY_CUSTOMER_AND_DAY = {
    "metric_time__day": lambda row: f"{row['insert_date']} 00:00:00",
    "customer": lambda row: str(row["customer_id"]),
}


def _season(log_date: str | None) -> str:
    return SEASONS[int(log_date[5:7]) % 12 // 3] if log_date else "Unknown"


class MetricFlow:
    """MetricFlow's command line on a warehouse that dbt has built."""

    def __init__(self, folder: Path, warehouse):
        # mf finds dbt's manifest in target/ of the project and nowhere else. This folder is a project for mf: the
        # tests leave nothing in the real one.
        (folder / "dbt_project.yml").symlink_to(ROOT / "dbt_project" / "dbt_project.yml")
        (folder / "target").symlink_to(warehouse.folder / "target")
        self.folder, self.warehouse = folder, warehouse

    def run(self, *arguments: str) -> str:
        """Returns what mf printed."""
        settings = {
            **self.warehouse.settings,
            "DBT_PROFILES_DIR": str(self.warehouse.folder),
            "DBT_PROJECT_DIR": str(self.folder),
            "DBT_LOG_PATH": str(self.folder),
            # mf asks PyPI for a newer version of itself and has no switch for it. Nobody listens here; it goes on.
            "https_proxy": "http://127.0.0.1:9",
            # It keeps PyPI's answer, a pickle, in the folder for temporary files.
            "TMPDIR": str(self.folder),
        }
        finished = resident.metricflow(arguments, cwd=self.folder, environment={**os.environ, **settings})
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def query(self, metrics, group_by=(), *arguments: str) -> list[dict[str, str]]:
        """One row for each group; NULL is an empty text."""
        grouping = ["--group-by", ",".join(group_by)] if group_by else []
        return self._rows("--metrics", ",".join(metrics), *grouping, *arguments)

    def saved_query(self, name: str) -> list[dict[str, str]]:
        return self._rows("--saved-query", name)

    def _rows(self, *arguments: str) -> list[dict[str, str]]:
        result = self.folder / "result.csv"
        result.unlink(missing_ok=True)
        self.run("query", "--quiet", "--csv", str(result), *arguments)
        with result.open() as lines:
            return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def metricflow(built, tmp_path_factory) -> MetricFlow:
    return MetricFlow(tmp_path_factory.mktemp("metricflow"), built)


@pytest.fixture(scope="module")
def answers(sample) -> dict:
    return sample.answers()


def test_every_metric_is_described_and_owned(manifest):
    metrics = {metric["name"]: metric for metric in manifest["metrics"].values()}
    assert metrics.keys() == {*METRICS, *OF_PROFILES, *OF_COHORTS, *OF_PAIRS}
    for name, metric in metrics.items():
        assert metric["description"].strip(), name
        assert metric["label"] != name, f"{name} has no label"
        assert metric["group"] == "analytics", name
    for name in ("positive_reviews", "positive_review_share"):
        assert "49.7 %" in metrics[name]["description"], f"{name} does not say how good the classifier is"


def test_every_dimension_and_entity_is_described(manifest):
    for model in manifest["semantic_models"].values():
        for element in [*model["dimensions"], *model["entities"]]:
            assert element["label"] and element["description"], f"{model['name']}.{element['name']}"


@pytest.mark.slow
def test_metricflow_finds_no_fault_with_the_configuration(metricflow):
    """In the YAML, and in the warehouse: each dimension, entity and metric can be queried."""
    printed = metricflow.run("validate-configs", "--show-all")
    assert "validated metrics against data warehouse (ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0)" in printed


@pytest.mark.slow
def test_reviews_that_different_classifiers_judged_can_be_told_apart(built, sample, answers, tmp_path):
    """As after a change of the classifier in the midst of the days."""
    own = Warehouse(tmp_path / "own", sample.staging)
    shutil.copyfile(built.file, own.file)
    (own.folder / "target").symlink_to(built.folder / "target")
    day = sample.DAYS[0]
    with duckdb.connect(str(own.file)) as warehouse:
        warehouse.execute(
            "update analytics_marts.ledger_classifier set classifier = 'model', classifier_version = '1-a' where insert_date = ?",
            [day],
        )
    (tmp_path / "metricflow").mkdir()
    found = MetricFlow(tmp_path / "metricflow", own).query(
        ("review_count", "positive_reviews"), ("judged_day__classifier", "judged_day__classifier_version")
    )
    expected: dict[str, list[int]] = {"model": [0, 0], "keyword": [0, 0]}
    for row in answers["fact_movie_analytics"]:
        sums = expected["model" if row["insert_date"] == str(day) else "keyword"]
        sums[0] += row["review_count"]
        sums[1] += row["review_score"]
    assert {
        row["judged_day__classifier"]: [int(row["review_count"]), int(row["positive_reviews"])]
        for row in found
        if int(row["review_count"])
    } == expected
    assert expected["model"][0] and expected["keyword"][0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "group_by",
    [
        ("dim_location__region",),
        ("dim_devices__device",),
        ("dim_date__season",),
        ("dim_devices__device", "dim_location__region"),
    ],
    ids=",".join,
)
def test_metrics_by_what_is_known_of_a_review(metricflow, answers, group_by):
    rows = [
        {**row, "least": Decimal(row["amount_spent_min"]), "most": Decimal(row["amount_spent_max"])}
        for row in answers["fact_movie_analytics"]
    ]
    assert_figures(metricflow.query(METRICS, group_by), rows, {name: BY_REVIEW[name] for name in group_by})


@pytest.mark.slow
def test_classifiers_agree_on_so_many_reviews(metricflow, built):
    """By day, as the mart has them; all days together, from sums."""
    mart = built.query(
        "select insert_date, compared_reviews, both_positive_reviews + both_negative_reviews, agreement from analytics_marts.ledger_agreement"
    )
    pair = ("pair_of_classifiers__classifier", "pair_of_classifiers__other_classifier")
    by_day = metricflow.query(OF_PAIRS, ("metric_time__day", *pair))
    assert {
        row["metric_time__day"][:10]: (int(row["compared_reviews"]), int(row["agreed_reviews"]))
        for row in by_day
    } == {str(day): (compared, agreed) for day, compared, agreed, _ in mart}
    ((row),) = metricflow.query(OF_PAIRS, pair)
    compared, agreed = (sum(row[place] for row in mart) for place in (1, 2))
    assert float(row["classifier_agreement"]) == pytest.approx(agreed / compared)
    assert [row[name] for name in pair] == ["keyword", "lexicon"]


@pytest.mark.slow
@pytest.mark.parametrize("group_by", [(), ("metric_time__day",), ("customer",)], ids=",".join)
def test_metrics_of_whole_days_and_customers(metricflow, answers, group_by):
    """Money is not shared here: it is right to the last digit."""
    rows = [
        {**row, "least": Decimal(row["amount_spent"]), "most": Decimal(row["amount_spent"])}
        for row in answers["user_behavior_metric"]
    ]
    assert_figures(
        metricflow.query(METRICS, group_by), rows, {name: BY_CUSTOMER_AND_DAY[name] for name in group_by}
    )


@pytest.mark.slow
def test_a_filter_on_another_dimension(metricflow, answers):
    """The question after the reviews from Apple devices in three states."""
    rows = metricflow.query(
        ["review_count"], ["dim_location__location"], "--where", "{{ Dimension('dim_os__vendor') }} = 'Apple'"
    )
    counts = {row["dim_location__location"]: int(row["review_count"]) for row in rows}
    asked = answers["questions"]["apple_reviews_by_state"]
    assert asked
    assert {state: counts.get(state) for state in asked} == asked


@pytest.mark.slow
def test_the_five_questions_are_saved_queries(metricflow, answers, manifest):
    """Against the sample's answers; a name that the answers leave empty is Unknown here."""
    asked = answers["questions"]
    place, device = "dim_location__location", "dim_devices__device"
    rows = metricflow.saved_query("question_1_reviews_in_three_states")
    assert {row[place]: int(row["review_count"]) for row in rows} == asked["reviews_by_state"]

    rows = metricflow.saved_query("question_2_apple_reviews_in_three_states")
    apple = [row for row in rows if row["dim_os__vendor"] == "Apple"]
    for found, asked_for in (
        (rows, "reviews_by_state_and_device"),
        (apple, "apple_reviews_by_state_and_device"),
    ):
        counts: Counter[str] = Counter()
        for row in found:
            name = "" if row[device] == "Unknown" else row[device]
            counts[f"{row[place]} / {name}"] += int(row["review_count"])
        assert counts == asked[asked_for]

    rows = metricflow.saved_query("question_3_computer_reviews_in_chrome")
    assert {row[place]: int(row["review_count"]) for row in rows} == asked[
        "computer_chrome_reviews_by_location"
    ]
    rows = metricflow.saved_query("question_4_reviews_by_state_in_2021")
    assert {row[place]: int(row["review_count"]) for row in rows} == asked["reviews_by_state_in_2021"]
    rows = metricflow.saved_query("question_5_devices_in_the_east_and_in_the_west")
    for coast in ("East", "West"):
        of_coast = {
            row[device]: int(row["review_count"]) for row in rows if row["dim_location__coast"] == coast
        }
        expected = {
            name: count for name, count in asked[f"reviews_by_device_{coast.lower()}"].items() if name
        }
        assert of_coast == expected
    queries = {query["name"]: query for query in manifest["saved_queries"].values()}
    assert len(queries) == 7 and all(query["description"] and query["label"] for query in queries.values())


@pytest.mark.slow
def test_customers_and_spend_by_segment(metricflow, built):
    """From the profile itself, whose figures have tests of their own."""
    expected = built.query(
        "select rfm_segment, count(*), sum(order_count), sum(amount_spent) from analytics_marts.user_profile group by rfm_segment"
    )
    assert len(expected) > 3
    rows = {
        row["customer__rfm_segment"]: row for row in metricflow.saved_query("customers_and_spend_by_segment")
    }
    assert rows.keys() == {segment for segment, *_ in expected}
    for segment, customers, orders, money in expected:
        row = rows[segment]
        assert (int(row["profiles"]), int(row["profile_orders"]), Decimal(row["profile_spend"])) == (
            customers,
            orders,
            money,
        )
        assert Decimal(row["spend_per_profile"]) == pytest.approx(money / customers, abs=Decimal("1e-6"))
    # What is known of a review by what is known of its customer: each review once.
    by_segment = metricflow.query(["review_count", "amount_spent"], ["customer__rfm_segment"])
    reviews = built.query(
        "select rfm_segment, sum(review_count), sum(amount_spent) from analytics_marts.user_profile group by rfm_segment"
    )
    assert {
        (row["customer__rfm_segment"], int(row["review_count"]), Decimal(row["amount_spent"]))
        for row in by_segment
    } == set(reviews)


@pytest.mark.slow
def test_retention_by_month_since_the_first_order(built, tmp_path):
    """Of cohorts that are made up, since the sample has none but its first: that one, and a month that is not over, count for nothing."""
    own = Warehouse(tmp_path / "own", built.settings["STAGING_URI"])
    shutil.copytree(built.folder, own.folder, dirs_exist_ok=True)
    rows = [
        # first month, months since, complete, left-censored, customers, active
        ("2020-11-01", 0, True, True, 10, 10), ("2020-11-01", 1, True, True, 10, 9), ("2020-11-01", 2, True, True, 10, 8),
        ("2020-12-01", 0, True, False, 20, 20), ("2020-12-01", 1, True, False, 20, 4), ("2020-12-01", 2, True, False, 20, 3),
        ("2021-01-01", 0, True, False, 5, 5), ("2021-01-01", 1, True, False, 5, 2), ("2021-01-01", 2, False, False, 5, 1),
    ]  # fmt: skip
    with duckdb.connect(str(own.file)) as connection:
        connection.execute("delete from analytics_marts.customer_cohort_retention")
        connection.executemany(
            "insert into analytics_marts.customer_cohort_retention by name select $1::date as cohort_month, $2 as months_since_first, "
            "($1::date + to_months($2))::date as active_month, $3 as is_complete, $4 as is_left_censored, $5 as customer_count, $6 as active_customer_count, $6 / $5 as retention, "
            "0 as amount_spent, 0 as order_count",
            rows,
        )
    (tmp_path / "metricflow").mkdir()
    answered = MetricFlow(tmp_path / "metricflow", own).saved_query(
        "retention_by_month_since_the_first_order"
    )
    assert {
        int(row["customer_cohort__months_since_first"]): (
            int(row["cohort_customers"]), int(row["cohort_customers_active"]), float(row["retention"]),
        )
        for row in answered
    } == {0: (25, 25, 1.0), 1: (25, 6, 0.24), 2: (20, 3, 0.15)}  # fmt: skip


def assert_figures(answered: list[dict[str, str]], rows: list[dict], grouping: dict) -> None:
    """Every group of `rows`, and no other, was answered, and its figures are those computed here."""
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        groups.setdefault(tuple(value(row) for value in grouping.values()), []).append(row)
    by_group = {tuple(row[name] for name in grouping): row for row in answered}
    assert len(answered) == len(by_group), "a group was answered twice"
    assert by_group.keys() == groups.keys()
    for group, members in groups.items():
        for metric, (least, most) in figures(members).items():
            figure = by_group[group][metric]
            if least is None:
                assert figure == "", f"{metric} of {group}"
            else:
                assert least <= Decimal(figure) <= most, f"{metric} of {group}"


def figures(rows: list[dict]) -> dict[str, tuple]:
    """For each metric the least and the most it may be; (None, None) where there is nothing to divide by."""
    reviewed = [row for row in rows if row["review_count"]]
    exact = {
        "review_count": sum(row["review_count"] for row in rows),
        "positive_reviews": sum(row["review_score"] for row in rows),
        "customers": len({row["customer_id"] for row in rows}),
        "reviewers": len({row["customer_id"] for row in reviewed}),
    }
    known = {name: (count, count) for name, count in exact.items()}
    for name, members in (("amount_spent", rows), ("amount_spent_by_reviewers", reviewed)):
        known[name] = (sum(row["least"] for row in members), sum(row["most"] for row in members))
    known["positive_review_share"] = _ratio(known["positive_reviews"], exact["review_count"])
    known["spend_per_customer"] = _ratio(known["amount_spent"], exact["customers"])
    known["spend_per_reviewer"] = _ratio(known["amount_spent_by_reviewers"], exact["reviewers"])
    known["reviews_per_reviewer"] = _ratio(known["review_count"], exact["reviewers"])
    return known


def _ratio(numerator: tuple, denominator: int) -> tuple:
    """MetricFlow divides floating-point numbers."""
    if denominator == 0:
        return None, None
    rounding = Decimal("1e-9")
    return Decimal(numerator[0]) / denominator - rounding, Decimal(numerator[1]) / denominator + rounding
