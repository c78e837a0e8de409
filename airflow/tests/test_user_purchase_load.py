"""What the DAG refuses and hands over; a run of it with a real load is in test_scheduler.py."""

from copy import deepcopy

import pytest
from airflow.sdk.exceptions import AirflowFailException, ParamValidationError


@pytest.fixture
def dag(dags):
    return dags["user_purchase_load"]


def test_by_itself_only_the_first_day_is_staged_again(dag):
    assert dag.timetable.can_be_scheduled is False
    assert dag.params.dump() == {
        "file": "user_purchase/user_purchase.csv", "first_day": "2021-01-01", "last_day": "2021-01-01",
    }  # fmt: skip


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd", "/proc/self/environ", "../secret.csv", "a/../../secret.csv", "a//b.csv", "./b.csv", "",
        "s3://other/key.csv", "key.csv?endpoint_override=127.0.0.1:9&scheme=http", "file:/etc/passwd", "a.csv#b", "%2e%2e/a.csv",
    ],
)  # fmt: skip
def test_a_file_that_is_not_below_raw_uri_is_refused(dag, file):
    with pytest.raises(ParamValidationError):
        deepcopy(dag.params)["file"] = file


@pytest.mark.parametrize(
    "file", ["a.csv", "user_purchase/2021-01-31.csv.gz", "x/insert_date=2021-01-31/b_1.csv"]
)
def test_a_file_below_raw_uri_is_loaded(dag, file):
    params = deepcopy(dag.params)
    params["file"] = file
    assert params.validate()["file"] == file
    assert dag.get_task("load_user_purchase").command[-2:] == [
        "--file",
        "{{ var.value.raw_uri }}/{{ params.file }}",
    ]


def test_each_day_becomes_the_logical_date_of_a_run(dag):
    days = dag.get_task("days_to_stage").python_callable
    assert days({"first_day": "2021-01-31", "last_day": "2021-02-01"}) == [
        "2021-01-31T00:00:00+00:00",
        "2021-02-01T00:00:00+00:00",
    ]
    assert dag.get_task("stage_again").partial_kwargs["trigger_dag_id"] == "staging"


@pytest.mark.parametrize(("first", "last"), [("2020-12-31", "2021-01-02"), ("2021-01-02", "2021-01-01")])
def test_days_that_staging_would_refuse_are_refused_before_the_load(dag, first, last):
    with pytest.raises(
        AirflowFailException, match=f"the days {first} to {last} must be in order and not before"
    ):
        dag.get_task("days_to_stage").python_callable({"first_day": first, "last_day": last})
    assert dag.get_task("load_user_purchase").upstream_task_ids == {"days_to_stage"}
    assert dag.get_task("stage_again").upstream_task_ids == {"days_to_stage", "load_user_purchase"}
