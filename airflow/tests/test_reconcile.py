"""Which days the marts lack, and what is started for them."""

import json
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from pipeline import reconcile
from pipeline.jobs import JobProcess
from pipeline.reconcile import Missing, compare, last_day_due, late_lines, lines_of, runs_to_start

A, B = {"user_purchase": "a", "review_logs": None}, {"user_purchase": "b", "review_logs": None}


def staged(delivered: dict, released: dict | None) -> dict:
    return {"delivered": delivered, "staged": released or {}, "accepted": []}


DAYS = {
    "2021-01-01": staged(A, A),  # built
    "2021-01-02": staged(B, B),  # built from A: staged again, and the build did not follow
    # 2021-01-03 was never staged
    "2021-01-04": staged(A, A),  # never built
    "2021-01-05": staged(B, A),  # staged again, its check has not passed
    "2021-01-06": staged(A, None),  # its check has not passed
    "2021-01-07": staged(A, None),  # built without Airflow, by make run
}
BUILT = {"2021-01-01": A, "2021-01-02": A, "2021-01-05": A, "2021-01-07": A}


def test_each_day_from_the_first_staged_to_the_last_due_is_looked_at():
    assert compare(DAYS, BUILT, date(2021, 1, 9)) == Missing(
        not_staged=["2021-01-03", "2021-01-08", "2021-01-09"],
        not_built={"2021-01-02": B, "2021-01-04": A},
        not_released=["2021-01-05", "2021-01-06"],
    )
    assert compare({}, {}, date(2021, 1, 9)) == Missing([], {}, [])


def test_what_is_missing_is_started_once_unless_it_may_be_under_way():
    missing = compare(DAYS, BUILT, date(2021, 1, 7))
    start = runs_to_start(missing, is_staging_idle=True, is_analytics_idle=True)
    assert [(run["trigger_dag_id"], run["conf"]) for run in start] == [
        ("staging", {"day": "2021-01-03"}),
        ("analytics", {"day": "2021-01-02"}),
        ("analytics", {"day": "2021-01-04"}),
    ]
    # the same id for the same content, another for another
    assert start == runs_to_start(missing, is_staging_idle=True, is_analytics_idle=True)
    other = runs_to_start(Missing([], {"2021-01-02": A}, []), is_staging_idle=True, is_analytics_idle=True)
    assert other[0]["trigger_run_id"] != start[1]["trigger_run_id"]
    busy = runs_to_start(missing, is_staging_idle=False, is_analytics_idle=False)
    assert busy == []


def test_people_are_told_how_many_and_which():
    lines = lines_of(compare(DAYS, BUILT, date(2021, 1, 7)))
    assert lines == [
        "1 day is not staged (`staging` never ran for it or failed): 2021-01-03",
        "2 days are staged but not built (`analytics` did not run for it or failed): 2021-01-02, 2021-01-04",
        "2 days are staged but not as it was checked (a check has not passed, or was not run again): 2021-01-05, 2021-01-06",
    ]
    many = lines_of(Missing([f"2021-01-{n:02}" for n in range(1, 13)], {}, []))
    assert many[0].startswith("12 days are") and many[0].endswith("2021-01-10 …")


@pytest.mark.parametrize("day", ["2021-01-03", "2021-01-04", "2021-01-06"])
def test_a_day_that_is_due_and_not_built_is_late_whatever_it_waits_for(day):
    due = date.fromisoformat(day)
    (line,) = late_lines(compare(DAYS, BUILT, due), due)
    assert line.startswith(f"{day} is late")
    built = date(2021, 1, 1)
    assert late_lines(compare(DAYS, BUILT, built), built) == []


@pytest.mark.parametrize(
    ("start_of_runs", "now", "last"),
    [
        ("3:00", "2021-01-10T02:59", "2021-01-08"),
        ("3:00", "2021-01-10T03:00", "2021-01-09"),
        ("7:30", "2021-01-10T07:29", "2021-01-08"),
        ("7:30", "2021-01-10T07:30", "2021-01-09"),
    ],
)
def test_a_day_is_due_when_its_run_starts_on_the_next(monkeypatch, start_of_runs, now, last):
    hours, minutes = map(int, start_of_runs.split(":"))
    monkeypatch.setattr(reconcile, "START_OF_RUNS", timedelta(hours=hours, minutes=minutes))
    assert last_day_due(datetime.fromisoformat(now).replace(tzinfo=UTC)) == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("run_type", "busy", "line", "started"),
    [
        # the hour at which the marts are due
        ("scheduled", "staging", "{due} is late", []),
        # after a build, or by hand: what is under way may well be what is missing
        ("manual", "staging", None, []),
        ("scheduled", None, "1 day is not staged", ["staging"]),
        ("manual", None, "1 day is not staged", ["staging"]),
    ],
)
def test_a_day_that_is_due_is_late_while_it_is_under_way_and_else_started(
    dags, monkeypatch, run_type, busy, line, started
):
    """The day before is built; of the day that is due there is nothing."""
    due = last_day_due(datetime.now(UTC))
    before, told = str(due - timedelta(days=1)), {}
    monkeypatch.setattr(JobProcess, "execute", lambda self, context: {before: A})
    monkeypatch.setattr(JobProcess, "_run", lambda *arguments: json.dumps({before: staged(A, A)}))
    monkeypatch.setattr(reconcile, "settings_of", lambda names: {})
    task_instance = SimpleNamespace(
        get_dr_count=lambda dag_id, states: int(dag_id == busy), xcom_push=told.__setitem__
    )
    task = dags["reconciliation"].get_task("find_missing")
    to_start = task.execute({"ti": task_instance, "dag_run": SimpleNamespace(run_type=run_type)})
    assert [run["trigger_dag_id"] for run in to_start] == started
    assert len(told["lines"]) == (line is not None)
    assert line is None or told["lines"][0].startswith(line.format(due=due))
