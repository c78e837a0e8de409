"""check_day as Airflow runs it: the figures, the JSON line, and the days that must not go on to the warehouse."""

import json
import os
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import boto3
import pyarrow as pa
import pytest

from spark_prep.contract import tables
from spark_prep.contract.publish import commit, new_run, parts
from spark_prep.logs.parse_logs import parse_logs

TABLE, DAY = "review_logs", "2021-01-31"


@pytest.fixture
def root(tmp_path) -> Path:
    """10 records delivered, 8 staged, 2 rejected."""
    stage(tmp_path, delivered=10, staged=8, rejected={"no log": 1, "broken XML": 1})
    return tmp_path


def stage(
    root: Path,
    *,
    delivered: int,
    staged: int,
    rejected: dict[str, int],
    is_delivered: bool = True,
    day: str = DAY,
):
    settings = {"STAGING_URI": f"{root}/staging", "QUARANTINE_URI": f"{root}/quarantine"}
    run = new_run(settings, TABLE)
    if is_delivered:
        # in two parts, one of them without rows
        for number, rows in enumerate((staged, 0)):
            with parts(run, date.fromisoformat(day), number) as (table, _):
                table.write_table(
                    pa.Table.from_pylist([{"log_id": n} for n in range(rows)], tables.REVIEW_LOGS)
                )
    commit(run, date.fromisoformat(day), int(is_delivered), delivered, rejected)


def staged_file(root: Path) -> Path:
    return next(root.glob(f"staging/{TABLE}/insert_date={DAY}/run=*/part-00000.parquet"))


def check(
    root: Path | str, *options: str, share: str = "0.2", **settings: str
) -> subprocess.CompletedProcess:
    environment = {"STAGING_URI": f"{root}/staging", "QUARANTINE_URI": f"{root}/quarantine", **settings}
    return subprocess.run(
        [sys.executable, "-m", "spark_prep.check_day", "--table", TABLE, "--date", DAY, "--max-rejected-share", share,
         "--min-usual-share", "0.25", *options],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def figures(checked: subprocess.CompletedProcess) -> dict:
    return json.loads(checked.stdout.splitlines()[-1])


def test_a_sound_day_prints_its_figures_for_people_and_for_airflow(root):
    checked = check(root)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert figures(checked) == {
        "table": TABLE, "date": DAY, "run": staged_file(root).parent.name.removeprefix("run="), "is_delivered": True, "delivered": 10, "staged": 8,
        "quarantined": {"no log": 1, "broken XML": 1}, "rejected_share": 0.2, "usual": None,
    }  # fmt: skip
    assert "1  broken XML" in checked.stdout


def test_above_the_threshold_the_day_stops_and_says_why_where_and_what_to_do(root):
    stage(root, delivered=10, staged=7, rejected={"broken XML": 1, "no log": 2})
    checked = check(root)
    # not 2: a person may accept it
    assert checked.returncode == 3
    assert checked.stderr == (
        "error: review_logs of 2021-01-31: 30.0% of the records were rejected, more than the 20.0% allowed "
        f"(2 no log, 1 broken XML); they are in {root}/quarantine/review_logs/insert_date=2021-01-31/. Look at them, "
        "and have the file delivered again and stage that day again, or accept the day as it is\n"
    )
    # the figures are there all the same
    assert figures(checked)["rejected_share"] == 0.3
    assert check(root, share="0.3").returncode == 0


@pytest.mark.parametrize("delivered", [9, 11])
def test_a_record_that_is_unaccounted_for_stops_the_day(root, delivered):
    stage(root, delivered=delivered, staged=8, rejected={"no log": 2})
    checked = check(root, share="1")
    assert checked.returncode == 2
    assert f"{delivered} records were delivered, 10 are staged or quarantined" in checked.stderr
    assert "stage that day again" in checked.stderr


def test_a_staged_file_that_is_gone_stops_the_day(root):
    staged_file(root).unlink()
    assert "10 records were delivered, 2 are staged or quarantined" in check(root, share="1").stderr


def test_a_file_that_cannot_be_read_stops_the_day(root):
    staged_file(root).write_text("no Parquet")
    checked = check(root)
    assert checked.returncode == 2
    assert checked.stderr.startswith(f"error: review_logs of 2021-01-31 cannot be read in {root}/staging: ")
    assert checked.stderr.count("\n") == 1


def test_a_day_that_was_never_staged_is_named(tmp_path):
    checked = check(tmp_path)
    assert checked.returncode == 2
    assert checked.stderr.startswith(
        f"error: review_logs of 2021-01-31 was never staged: there is no {tmp_path}/staging/delivery/"
    )


@pytest.mark.parametrize("is_delivered", [True, False])
def test_a_day_without_records_or_without_a_file_is_sound(tmp_path, is_delivered):
    """A missing file is the wait's to stop; who goes on without it knows."""
    stage(tmp_path, delivered=0, staged=0, rejected={}, is_delivered=is_delivered)
    checked = check(tmp_path, share="0")
    assert checked.returncode == 0, checked.stderr
    assert figures(checked)["is_delivered"] is is_delivered
    assert figures(checked)["rejected_share"] == 0


def on_weeks_before(root: Path, *counts: int) -> None:
    """So many records on the same weekday of each week before, from the last back."""
    for n, count in enumerate(counts, start=1):
        stage(
            root,
            delivered=count,
            staged=count,
            rejected={},
            day=str(date.fromisoformat(DAY) - timedelta(weeks=n)),
        )


def test_a_file_cut_to_a_twentieth_of_what_is_usual_on_the_weekday_stops_the_day(tmp_path):
    on_weeks_before(tmp_path, 95, 105, 100, 4000, 100)
    stage(tmp_path, delivered=5, staged=5, rejected={})
    checked = check(tmp_path)
    assert checked.returncode == 3
    assert checked.stderr.startswith(
        "error: review_logs of 2021-01-31: 5 records were delivered, less than 25% of the 100 that are usual on a Sunday"
    )
    assert figures(checked)["usual"] == 100
    # a quiet day is none
    stage(tmp_path, delivered=25, staged=25, rejected={})
    assert check(tmp_path).returncode == 0


def test_what_is_usual_is_not_known_from_two_days_or_other_weekdays_nor_asked_of_a_missing_file(tmp_path):
    on_weeks_before(tmp_path, 100, 100)
    stage(tmp_path, delivered=100, staged=100, rejected={}, day="2021-01-30")
    stage(tmp_path, delivered=5, staged=5, rejected={})
    assert check(tmp_path).returncode == 0
    on_weeks_before(tmp_path, 100, 100, 100)
    stage(tmp_path, delivered=0, staged=0, rejected={}, is_delivered=False)
    assert check(tmp_path).returncode == 0


@pytest.mark.slow
def test_what_the_jobs_stage_is_what_is_checked(spark, lake):
    """The writer's own files, not this test's idea of them."""
    day = date.fromisoformat(DAY)
    log = "<reviewlog><log><logDate>01-30-2021</logDate></log></reviewlog>"
    lake.deliver("log_reviews", day, f"id_review,log\n1,{log}\n2,{log}\nx,{log}\n")
    parse_logs(spark, lake.settings, [day])
    checked = check(lake.root, share="0.34")
    assert checked.returncode == 0, checked.stderr
    assert (figures(checked)["delivered"], figures(checked)["staged"]) == (3, 2)
    assert figures(checked)["quarantined"] == {"id_review is not an integer": 1}
    assert check(lake.root, share="0.33").returncode == 3


@pytest.mark.parametrize(
    "options", [("--max-rejected-share", "20"), ("--table", "movies"), ("--date", "31.01.2021")]
)
def test_options_that_make_no_sense_are_refused(root, options):
    checked = check(root, *options)
    assert checked.returncode == 2 and "Traceback" not in checked.stderr


def test_what_a_killed_run_left_is_not_counted(root):
    killed = staged_file(root).parent.with_name("run=20210131T000000-00000000")
    shutil.copytree(staged_file(root).parent, killed)
    assert figures(check(root))["staged"] == 8


def test_staging_in_a_bucket(root, s3, bucket):
    """By Hadoop's name of the scheme, too; a missing object is a missing day."""
    client = boto3.client("s3")
    for file in (root / "staging").rglob("*.parquet"):
        client.upload_file(str(file), bucket, str(file.relative_to(root)))
    for uri in (f"s3://{bucket}/staging", f"s3a://{bucket}/staging"):
        checked = check(root, STAGING_URI=uri, **s3)
        assert checked.returncode == 0, checked.stderr
        assert figures(checked)["staged"] == 8
    assert "was never staged" in check(root, STAGING_URI=f"s3://{bucket}/empty", **s3).stderr
