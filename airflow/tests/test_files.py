"""Waiting for the vendors' files, with real folders."""

import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout, TaskDeferred

DAY = "2021-01-31"
CONTEXT = {"dag_run": SimpleNamespace(partition_key=DAY)}
MISSING = rf"^movie_review of {DAY} has not been delivered: no .*/movie_review/insert_date={DAY}/\*\.csv after 12:00:00\. Clear"


@pytest.fixture
def wait(tmp_path, monkeypatch):
    """The wait of movie_review as Airflow would have rendered it for DAY, and the folder of that day."""
    from pipeline.files import wait_for

    monkeypatch.setenv("AIRFLOW_VAR_RAW_URI", str(tmp_path))
    task = wait_for("movie_review")
    task.filepath = str(tmp_path / f"movie_review/insert_date={DAY}/*.csv")
    folder = tmp_path / f"movie_review/insert_date={DAY}"
    folder.mkdir(parents=True)
    return task, folder


def test_it_waits_for_the_file_of_the_runs_day():
    from pipeline.files import wait_for

    task = wait_for("log_reviews")
    assert task.task_id == "wait_for_log_reviews"
    assert task.filepath == "{{ var.value.raw_uri }}/log_reviews/insert_date={{ day_of(dag_run) }}/*.csv"


def test_a_file_that_is_there_is_not_waited_for(wait):
    task, folder = wait
    (folder / "movie_review.csv").touch()
    task.execute(CONTEXT)


def test_a_missing_file_is_waited_for_without_a_workers_slot(wait):
    task, folder = wait
    (folder / "movie_review.csv.part").touch()
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(CONTEXT)
    assert deferred.value.timeout == timedelta(hours=12)
    assert deferred.value.trigger.filepath == task.filepath


def test_the_deadline_says_which_file_of_which_day_is_missing(wait):
    """This is how Airflow resumes a task whose trigger is out of time; the alert carries the error's words."""
    task, folder = wait
    shutil.rmtree(folder)
    with pytest.raises(AirflowSensorTimeout, match=MISSING):
        task.resume_execution("__fail__", {"error": "Trigger timeout"}, CONTEXT)


def test_so_does_a_wait_that_holds_its_slot(wait):
    task, _ = wait
    task.deferrable, task.timeout, task.poke_interval = False, 0, 0
    ti = SimpleNamespace(
        get_first_reschedule_date=lambda *_: None, task_reschedule_count=0, max_tries=0, try_number=1
    )
    with pytest.raises(AirflowSensorTimeout, match=MISSING):
        task.execute({**CONTEXT, "ti": ti})
