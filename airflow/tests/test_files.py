"""Waiting for the vendors' files, with real folders."""

import fnmatch
import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout, TaskDeferred

DAY = "2021-01-31"
CONTEXT = {"dag_run": SimpleNamespace(partition_key=DAY)}
MISSING = rf"^movie_review of {DAY} has not been delivered: no .*/movie_review/insert_date={DAY}/\*\.csv or \*\.csv\.gz after 12:00:00\. Clear"


@pytest.fixture
def wait(tmp_path, monkeypatch):
    """The wait of movie_review as Airflow would have rendered it for DAY, and the folder of that day."""
    from pipeline.files import wait_for

    monkeypatch.setenv("AIRFLOW_VAR_RAW_URI", str(tmp_path))
    task = wait_for("movie_review")
    task.filepath = str(tmp_path / f"movie_review/insert_date={DAY}" / task.filepath.rpartition("/")[2])
    folder = tmp_path / f"movie_review/insert_date={DAY}"
    folder.mkdir(parents=True)
    return task, folder


def test_it_waits_for_the_file_of_the_runs_day():
    from pipeline.files import wait_for

    task = wait_for("log_reviews")
    assert task.task_id == "wait_for_log_reviews"
    folder, _, _ = task.filepath.rpartition("/")
    assert folder == "{{ var.value.raw_uri }}/log_reviews/insert_date={{ day_of(dag_run) }}"


@pytest.mark.parametrize("name", ["movie_review.csv", "part.1.csv", "movie_review.csv.gz"])
def test_a_file_that_is_there_is_not_waited_for(wait, name):
    task, folder = wait
    (folder / name).touch()
    task.execute(CONTEXT)


def test_s3_is_asked_for_the_same_files(monkeypatch):
    """The sensor of S3 compares keys by fnmatch."""
    from pipeline import files

    monkeypatch.setattr(files, "PLATFORM", "aws")
    task = files.wait_for("movie_review")
    assert task.wildcard_match
    pattern = task.bucket_key.rpartition("/")[2]
    assert pattern == files.FILES
    keys = ["a.csv", "a.csv.gz", "a.csv.part", "a.csv.gz.part", "a.csv.zip", "a.csv.xz", "a.tsv", "_SUCCESS"]
    assert fnmatch.filter(keys, pattern) == ["a.csv", "a.csv.gz"]


@pytest.mark.parametrize(
    "name", ["movie_review.csv.part", "movie_review.csv.gz.part", "movie_review.csv.zip"]
)
def test_a_missing_file_is_waited_for_without_a_workers_slot(wait, name):
    task, folder = wait
    (folder / name).touch()
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
