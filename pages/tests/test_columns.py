"""Which columns a column of the docs comes from: by hand, and by what becomes of it when the named one is emptied."""

import json
from collections import Counter

import pytest

from pages.docs_site.columns import Origin, origins, ways_down

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def compiled(built) -> dict:
    """dbt's manifest with the SQL of each model."""
    done = built.dbt("compile", "--select", "resource_type:model")
    assert done.returncode == 0, done.stdout
    return json.loads((built.folder / "target/manifest.json").read_text())


@pytest.fixture(scope="module")
def types(built) -> dict[str, dict[str, str]]:
    """Of every column, as the warehouse has them, by unique_id of models and sources."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, kind in built.query(
        "select table_schema, table_name, column_name, data_type from information_schema.columns"
    ):
        found.setdefault((schema, table), {})[column] = kind
    manifest = json.loads((built.folder / "target/manifest.json").read_text())
    return {
        node["unique_id"]: found.get((node["schema"], node["name"]), {})
        for node in (*manifest["nodes"].values(), *manifest["sources"].values())
    }


def test_origins_are_those_that_the_sql_says(compiled, types):
    def of(table: str, column: str) -> Origin | None:
        return origins(compiled, f"model.movie_analytics.{table}", types).get(column)

    # read from the models by hand
    assert of("fact_movie_analytics", "amount_spent") == Origin(
        ["int_customer_purchase.amount_spent", "rows of int_attributed_review"], []
    )
    assert of("fact_movie_analytics", "id_dim_os") == Origin(["int_attributed_review.os"], [])
    assert of("user_profile", "is_at_risk") == Origin(["int_customer_segment.rfm_segment"], [])
    assert of("dim_date", "season") == Origin([], ["int_log_member.member"])
    assert of("stg_user_purchase", "amount") == Origin(
        ["user_purchase.quantity", "user_purchase.unit_price"], []
    )
    assert of("customer_cohort_retention", "order_count") == Origin(
        ["int_customer_active_day.order_count"], []
    )
    # rows of a query that joins, groups and unites
    assert of("ledger", "records_staged") == Origin(
        ["int_customer_purchase.purchase_lines", "rows of int_log", "rows of int_review"], []
    )
    assert of("ledger_agreement", "compared_reviews") == Origin(
        ["rows of int_review", "rows of stg_other_classification"], []
    )
    assert of("customer_cohort_retention", "customer_count") == Origin(["rows of int_customer_spending"], [])
    assert of("stg_user_purchase", "*") == Origin(["rows of stg_delivery", "rows of user_purchase"], [])
    # made with numbers that are in no table, or of these alone
    assert of("customer_cohort_retention", "is_complete") == Origin(
        ["int_customer_spending.first_order_date", "int_customer_spending.last_invoice_date"], []
    )
    assert of("customer_cohort_retention", "active_month") == Origin(
        ["int_customer_spending.first_order_date"], []
    )
    assert of("customer_cohort_retention", "months_since_first") == Origin(
        [], ["rows of int_customer_spending"]
    )
    # a text that the SQL writes
    assert of("int_name", "kind") is None


def test_a_table_that_is_no_ref_is_not_taken_for_the_cte_that_reads_it(compiled, types):
    """As what int_customer_touched compares with, once a run has days."""
    name = "model.movie_analytics.user_profile"
    relation = "analytics_intermediate.int_customer_day_profiled"
    code = f"with int_customer_day_profiled as (select * from {relation}) select count(*) as customer_id from int_customer_day_profiled"
    nodes = compiled["nodes"] | {name: compiled["nodes"][name] | {"compiled_code": code}}
    assert origins(compiled | {"nodes": nodes}, name, types).get("customer_id") is None


def values_of(built, column: str, sql: str) -> Counter:
    asked = "count(*)" if column == "*" else f'"{column}"'
    return Counter(map(str, built.query(f"select {asked} from ({sql}) as made")))


def others_of(relation: str, column: str, kind: str) -> list[str]:
    """The table in its place: without rows; or with nothing in the column, or one thing in all of its rows."""
    if not column:
        return [f"(select * from {relation} where false)"]
    one = (
        "date '2000-02-29'"
        if kind in ("DATE", "TIMESTAMP")
        else "'x'"
        if kind == "VARCHAR"
        else "true"
        if kind == "BOOLEAN"
        else "7"
    )
    return [f"(select * replace ({value}::{kind} as {column}) from {relation})" for value in ("null", one)]


def test_a_column_changes_when_what_it_comes_from_is_emptied(built, compiled, types):
    """Every statement that the pages make of a mart, tried in the warehouse."""
    tried, unchanged = 0, []
    for model in compiled["nodes"].values():
        if model["resource_type"] != "model" or model.get("access") != "public":
            continue
        for column, origin in origins(compiled, model["unique_id"], types).items():
            before = values_of(built, column, model["compiled_code"])
            for name in origin.values or origin.decided_by:
                table, _, emptied = name.removeprefix("rows of ").partition(".")
                (parent,) = [
                    node
                    for node in (*compiled["nodes"].values(), *compiled["sources"].values())
                    if node["name"] == table and node["unique_id"] in model["depends_on"]["nodes"]
                ]
                if not any(
                    values_of(built, column, model["compiled_code"].replace(parent["relation_name"], other))
                    != before
                    for other in others_of(
                        parent["relation_name"], emptied, types[parent["unique_id"]].get(emptied, "")
                    )
                ):
                    unchanged.append(f"{model['name']}.{column}: {name}")
                tried += 1
    assert tried > 150
    # The sample's classifier gives no score: these have one value in all rows, whatever they come from.
    unscored = (
        "scored_reviews",
        "unsure_reviews",
        "corrected_positive_share",
        "score_shift",
        "unknown_ngram_share",
        "labelled_unknown",
    )
    # Of its two classifiers the one that decides is the first by the alphabet.
    of_either = {
        "ledger_agreement.classifier_version: stg_other_classification.classifier_version",
        "ledger_agreement.other_classifier_version: int_review.classifier_version",
    }
    # A row of theirs without a delivery would have one in the ledger; here all have one.
    of_either |= {f"ledger.*: rows of int_{each}" for each in ("customer_purchase", "log", "review")}
    assert [
        name
        for name in unchanged
        if name not in of_either
        and not name.startswith(tuple(f"ledger_classifier.{each}" for each in unscored))
    ] == []


def test_the_way_down_ends_where_data_come_in_and_does_not_go_in_circles():
    tables = {
        "mart": {"money": Origin(["middle.money", "rows of middle"], []), "kind": Origin([], ["middle.kind"])},
        "middle": {"money": Origin(["source.price"], []), "kind": Origin(["middle.kind", "source.kind"], []), "*": Origin(["rows of source"], [])},
    }  # fmt: skip
    ways = ways_down(tables)
    assert ways["mart", "money"] == [["middle.money", "rows of middle"], ["rows of source", "source.price"]]
    assert ways["mart", "kind"] == [["middle.kind"], ["source.kind"]]


def test_what_cannot_be_followed_has_no_origin(compiled, types):
    """Another table, a column that is not there, SQL that is none."""
    table = "model.movie_analytics.user_behavior_metric"
    for sql in (
        "select 1 as review_count",
        "select review_count from nowhere",
        "select from where",
        "select count(*) as review_count from a, b",
    ):
        changed = json.loads(
            json.dumps({**compiled, "nodes": {table: {**compiled["nodes"][table], "compiled_code": sql}}})
        )
        assert origins(changed, table, types) == {}, sql
    assert origins(compiled, "seed.movie_analytics.us_state", types) == {}
    assert origins({**compiled, "metadata": {"adapter_type": "postgres"}}, table, types) == {}
