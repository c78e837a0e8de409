"""A day is released when all its tables are sound or accepted, and is ready for a build until it is staged again."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import boto3
import pyarrow as pa
import pytest

from spark_prep.contract import tables
from spark_prep.contract.publish import commit, committed, new_run, optional_part, parts

DAY = "2021-01-31"


def stage(
    root: Path, table: str, *, rejected: int = 0, lost: int = 0, is_delivered: bool = True, day: str = DAY
) -> str:
    """10 records, `rejected` of them in quarantine and `lost` nowhere; returns the run."""
    settings = {"STAGING_URI": f"{root}/staging", "QUARANTINE_URI": f"{root}/quarantine"}
    run, on = new_run(settings, table), date.fromisoformat(day)
    if is_delivered:
        with parts(run, on, 0) as (staged, _):
            rows = [{tables.STAGING[table].names[0]: None}] * (10 - rejected - lost)
            staged.write_table(pa.Table.from_pylist(rows, tables.STAGING[table]))
    commit(run, on, int(is_delivered), 10 if is_delivered else 0, {"broken": rejected} if rejected else {})
    return run.id


@pytest.fixture
def root(tmp_path) -> Path:
    for table in tables.STAGING:
        stage(tmp_path, table)
    return tmp_path


def command(root: Path, module: str, *options: str, **settings: str) -> subprocess.CompletedProcess:
    environment = {"STAGING_URI": f"{root}/staging", "QUARANTINE_URI": f"{root}/quarantine", **settings}
    return subprocess.run(
        [sys.executable, "-m", f"spark_prep.{module}", *options],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def release(root: Path, **accepted: dict) -> subprocess.CompletedProcess:
    return command(
        root,
        "release_day",
        "--date",
        DAY,
        "--max-rejected-share",
        "0.2",
        "--min-usual-share",
        "0.25",
        "--accepted",
        json.dumps(accepted),
    )


def ready(root: Path) -> subprocess.CompletedProcess:
    return command(root, "staged_days", "--date", DAY)


def runs_of(root: Path) -> dict[str, str | None]:
    return {
        table: committed(f"{root}/staging", table, date.fromisoformat(DAY)).run for table in tables.STAGING
    }


def test_what_other_classifiers_say_is_released_with_the_day_where_there_is_any(root):
    run = new_run(
        {"STAGING_URI": f"{root}/staging", "QUARANTINE_URI": f"{root}/quarantine"}, "other_classification"
    )
    with optional_part(run, date.fromisoformat(DAY), 0):
        pass
    commit(run, date.fromisoformat(DAY), 1, 10, {})
    assert json.loads(release(root).stdout.splitlines()[-1])["runs"] == runs_of(root) | {
        "other_classification": run.id
    }
    assert ready(root).returncode == 0


def test_a_sound_day_is_released_with_the_runs_it_stands_on(root):
    assert "2021-01-31 has not been released" in ready(root).stderr
    released = release(root)
    assert (released.returncode, released.stderr) == (0, "")
    assert json.loads(released.stdout.splitlines()[-1]) == {"runs": runs_of(root)}
    assert json.loads(ready(root).stdout) == {
        "delivered": runs_of(root),
        "staged": runs_of(root),
        "accepted": [],
    }


def test_a_day_that_is_staged_again_is_not_ready_until_it_is_released_again(root):
    before = json.loads(release(root).stdout.splitlines()[-1])["runs"]["review_logs"]
    after = stage(root, "review_logs")
    refused = ready(root)
    assert refused.returncode == 2
    assert f"(review_logs is run {after}, run {before} was checked)" in refused.stderr
    release(root)
    assert json.loads(ready(root).stdout)["staged"]["review_logs"] == after


def test_what_a_check_would_refuse_is_not_released_however_it_got_here(root):
    """Marking a red check as success in Airflow is no acceptance."""
    stage(root, "review_logs", rejected=5)
    refused = release(root)
    assert refused.returncode == 2
    assert "50.0% of the records were rejected" in refused.stderr
    assert (
        "Nobody has accepted run" in refused.stderr
        and "clear check_review_logs, and answer it" in refused.stderr
    )
    assert ready(root).returncode == 2


def test_a_person_accepts_one_run_with_name_and_reason_and_no_other(root):
    run = stage(root, "review_logs", rejected=5)
    acceptance = {"run": run, "by": "mary", "because": "the vendor's file is what it is"}
    assert release(root, review_logs=acceptance).returncode == 0
    assert json.loads(ready(root).stdout)["accepted"] == [
        {"table": "review_logs", "by": "mary", "because": "the vendor's file is what it is"}
    ]
    stage(root, "review_logs", rejected=6)
    assert release(root, review_logs=acceptance).returncode == 2


def test_no_person_can_accept_a_lost_record_or_a_day_that_was_never_staged(root):
    run = stage(root, "review_logs", lost=1)
    refused = release(root, review_logs={"run": run, "by": "mary", "because": "?"})
    assert refused.returncode == 2 and "10 records were delivered, 9 are staged" in refused.stderr
    (root / f"staging/delivery/insert_date={DAY}/review_logs.parquet").unlink()
    assert "was never staged" in release(root).stderr


def test_a_table_without_a_file_is_released_without_a_run(root):
    stage(root, "review_logs", is_delivered=False)
    assert json.loads(release(root).stdout.splitlines()[-1])["runs"]["review_logs"] is None
    assert ready(root).returncode == 0


def test_a_file_that_cannot_be_read_is_one_clear_line(root):
    (root / f"staging/delivery/insert_date={DAY}/review_logs.parquet").write_text("no Parquet")
    for asked, what in (
        (release(root), f"{DAY} cannot be released in {root}/staging: "),
        (ready(root), f"{root}/staging cannot be read: "),
    ):
        assert asked.returncode == 2
        assert asked.stderr.startswith(f"error: {what}") and asked.stderr.count("\n") == 1


def test_all_days_are_listed_released_or_not(root):
    release(root)
    stage(root, "user_purchase", day="2021-01-30")
    days = json.loads(command(root, "staged_days").stdout)
    assert list(days) == ["2021-01-30", DAY]
    assert days["2021-01-30"]["staged"] == {} and list(days["2021-01-30"]["delivered"]) == ["user_purchase"]
    assert days[DAY]["staged"] == days[DAY]["delivered"] == runs_of(root)


def test_nothing_staged_is_no_days(tmp_path):
    listed = command(tmp_path, "staged_days")
    assert (listed.returncode, listed.stdout) == (0, "{}\n")


def test_staging_in_a_bucket(root, s3, bucket):
    client = boto3.client("s3")
    for file in root.rglob("*.parquet"):
        client.upload_file(str(file), bucket, str(file.relative_to(root)))
    places = {"STAGING_URI": f"s3://{bucket}/staging", "QUARANTINE_URI": f"s3://{bucket}/quarantine", **s3}
    assert json.loads(command(root, "staged_days", **places).stdout)[DAY]["staged"] == {}
    options = ("--date", DAY, "--max-rejected-share", "0.2", "--min-usual-share", "0.25")
    released = command(root, "release_day", *options, **places)
    assert released.returncode == 0, released.stderr
    assert json.loads(command(root, "staged_days", "--date", DAY, **places).stdout)["staged"] == runs_of(root)
    nothing = command(root, "staged_days", **places | {"STAGING_URI": f"s3://{bucket}/empty"})
    assert (nothing.returncode, nothing.stdout) == (0, "{}\n")
