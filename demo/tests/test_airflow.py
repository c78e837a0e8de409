"""What `make airflow` prepares; what it starts is driven in airflow/tests/test_scheduler.py."""

import shutil
import stat
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from demo.airflow import airflow_environment, deliver, last_day
from demo.postgres import embedded_postgres


@pytest.mark.parametrize(
    ("cron", "now", "day"),
    [
        (None, datetime(2021, 2, 1, 2, 59, tzinfo=UTC), 30),
        (None, datetime(2021, 2, 1, 3, tzinfo=UTC), 31),
        ("0 14 * * *", datetime(2021, 2, 1, 3, tzinfo=UTC), 30),
        ("30 14 * * *", datetime(2021, 2, 1, 14, 29, tzinfo=UTC), 30),
        ("30 14 * * *", datetime(2021, 2, 1, 14, 30, tzinfo=UTC), 31),
    ],
)
def test_the_last_day_is_the_one_whose_run_starts_by_itself(monkeypatch, cron, now, day):
    assert '"0 3 * * *"' in (Path(__file__).parents[2] / "airflow/dags/pipeline/settings.py").read_text()
    monkeypatch.delenv("STAGING_CRON", raising=False)
    if cron:
        monkeypatch.setenv("STAGING_CRON", cron)
    assert last_day(now) == date(2021, 1, day)


def test_days_that_have_passed_are_delivered_and_those_before_stay(tmp_path, monkeypatch):
    # half a day away: no day may become due between the two deliveries
    monkeypatch.setenv("STAGING_CRON", f"0 {(datetime.now(UTC).hour + 12) % 24} * * *")
    days = deliver(tmp_path)
    assert len(days) == 3 and (tmp_path / "answers.json").exists()
    # as if the last two had not passed yet at the first start
    for day in days[1:]:
        for feed in ("movie_review", "log_reviews"):
            shutil.rmtree(tmp_path / f"raw/{feed}/insert_date={day}")
    first = tmp_path / f"raw/movie_review/insert_date={days[0]}/movie_review.csv"
    first.write_text("as it was")
    assert deliver(tmp_path) == days
    assert first.read_text() == "as it was"
    for feed in ("movie_review", "log_reviews"):
        assert (tmp_path / f"raw/{feed}/insert_date={days[-1]}/{feed}.csv").exists()
    # they are of two samples by now
    assert not (tmp_path / "answers.json").exists()


def test_secrets_are_made_up_once_and_for_the_owner_only(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "5")
    with embedded_postgres() as dsn:
        once = airflow_environment(tmp_path, 8080, dsn, date(2021, 1, 1))
        again = airflow_environment(tmp_path, 8080, dsn, date(2021, 1, 1))
    names = ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET")
    made_up = (
        *names,
        "AIRFLOW_VAR_PSEUDONYM_SECRET",
        "AIRFLOW_VAR_QUARANTINE_SECRET",
        "AIRFLOW_VAR_SUPPRESSION_SECRET",
    )
    assert [once[name] for name in made_up] == [again[name] for name in made_up]
    assert len({once[name] for name in made_up}) == len(made_up)
    for file in ("secrets.json", "password.json"):
        assert stat.S_IMODE((tmp_path / file).stat().st_mode) == 0o600
    # a setting of the caller's counts
    assert once["AIRFLOW__CORE__PARALLELISM"] == "5"
