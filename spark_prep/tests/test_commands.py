"""The commands as a person meets them: what they print, and what they say when something is missing."""

import argparse
import os
import socket
import subprocess
import sys
from datetime import date

import pytest

from spark_prep.contract.days import add_day_options, days_of
from spark_prep.contract.outcome import Outcome, print_outcomes
from spark_prep.errors import PreparationError
from spark_prep.settings import read_settings


def days(*options):
    parser = argparse.ArgumentParser()
    add_day_options(parser)
    return days_of(parser.parse_args(options))


def test_one_day_and_a_range():
    assert days("--date", "2021-02-28") == [date(2021, 2, 28)]
    assert days("--from", "2021-02-28", "--to", "2021-03-01") == [date(2021, 2, 28), date(2021, 3, 1)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "name the days"),
        (["--from", "2021-01-01"], "name the days"),
        (["--date", "2021-01-01", "--to", "2021-01-02"], "name the days"),
        (["--from", "2021-01-02", "--to", "2021-01-01"], "--from 2021-01-02 is after --to 2021-01-01"),
        (["--date", "2021-02-30"], "--date is '2021-02-30'"),
        (["--date", "20210131"], "--date is '20210131'; write a calendar day as YYYY-MM-DD"),
        (["--date", "31.01.2021"], "--date is '31.01.2021'"),
    ],
)
def test_days_that_make_no_sense_are_refused(options, message):
    with pytest.raises(PreparationError, match=message):
        days(*options)


def test_missing_settings_are_told_all_at_once(monkeypatch):
    monkeypatch.delenv("RAW_URI", raising=False)
    monkeypatch.setenv("START_DATE", " ")
    with pytest.raises(PreparationError) as refusal:
        read_settings("RAW_URI", "START_DATE")
    first, second = str(refusal.value).splitlines()
    assert (
        first
        == "RAW_URI is not set: where the vendors' files arrive. Set it in the environment (see .env.example)."
    )
    assert second.strip().startswith("START_DATE is not set: the first day")


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("/data/raw/", "/data/raw"),
        ("raw", f"{os.getcwd()}/raw"),
        ("file:///data/raw", "/data/raw"),
        ("~/raw", f"{os.path.expanduser('~')}/raw"),
        ("s3://bucket/raw/", "s3://bucket/raw"),
        ("gs://bucket", "gs://bucket"),
    ],
)
def test_a_uri_is_an_object_store_or_an_absolute_path(monkeypatch, uri, location):
    monkeypatch.setenv("RAW_URI", uri)
    assert read_settings("RAW_URI") == {"RAW_URI": location}


@pytest.mark.parametrize("uri", ["s3:/bucket/raw", "gs:/bucket", "s3a:/bucket"])
def test_a_uri_with_one_slash_is_no_local_folder(monkeypatch, uri):
    monkeypatch.setenv("STAGING_URI", uri)
    with pytest.raises(PreparationError, match=f"STAGING_URI is {uri!r}; write "):
        read_settings("STAGING_URI")


def test_raw_records_may_not_lie_where_staging_does(monkeypatch):
    monkeypatch.setenv("STAGING_URI", "/data/staging")
    monkeypatch.setenv("QUARANTINE_URI", "/data/staging/")
    with pytest.raises(PreparationError, match="STAGING_URI and QUARANTINE_URI"):
        read_settings("STAGING_URI", "QUARANTINE_URI")


def test_the_table_of_outcomes(capsys):
    two = [date(2021, 1, 1), date(2021, 1, 2)]
    print_outcomes(
        [
            Outcome("user_purchase", two, [], 1234567, 1234567, {}, "/s", "/q"),
            Outcome("review_logs", two, two[:1], 10, 6, {"no log": 1, "broken XML": 2}, "/s", "/q"),
        ]
    )
    assert capsys.readouterr().out.splitlines() == [
        "",
        "table          days  not delivered  delivered     staged  quarantined",
        "user_purchase     2              0  1,234,567  1,234,567            0",
        "review_logs       2              1         10          6            3",
        "",
        "quarantined from review_logs:",
        "        2  broken XML",
        "        1  no log",
        "",
        "review_logs: 1 delivered records are neither staged nor quarantined; the ledger will not balance",
        "",
        "staging     /s",
        "quarantine  /q",
    ]


def command(name, *options, **environment):
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "JAVA_HOME", "SPARK_SUBMIT_OPTS", "QUARANTINE_SECRET")
        if name in os.environ
    }
    return subprocess.run(
        [sys.executable, "-m", f"spark_prep.{name}", *options],
        check=False,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=1800,
    )


@pytest.mark.parametrize(
    "name", ["prepare_staging", "reviews.classify_reviews", "logs.parse_logs", "shop.export_purchases"]
)
def test_an_error_is_a_line_and_not_a_traceback(name):
    ran = command(name, "--date", "2021-01-01")
    assert ran.returncode == 2 and ran.stdout == ""
    assert ran.stderr.startswith("error: ") and "STAGING_URI is not set" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.slow
def test_prepare_staging_does_all_three_and_says_only_so(lake, shop, key):
    lake.deliver("movie_review", "2021-01-01", "cid,review_str,id_review\n7,good,1\n")
    lake.deliver("log_reviews", "2021-01-01", "id_review,log\n1,junk\n")
    shop.fill("'1', 'A', '', 1, '2021-01-01', 1, 1, ''", "'2', 'A', '', 1, '2021-01-02', 1, 1, ''")
    ran = command(
        "prepare_staging",
        *("--from", "2021-01-01", "--to", "2021-01-02"),
        **lake.settings,
        USER_PURCHASE_DSN=shop.dsn,
        PSEUDONYM_SECRET=key,
    )
    assert (ran.stderr, ran.returncode) == ("", 0)
    folder = f"{lake.root}/raw/{{}}/insert_date=2021-01-02"
    missing = f"of 2021-01-02 was not delivered: no *.csv or *.csv.gz in {folder}"
    assert ran.stdout.splitlines() == [
        "exporting purchases of 2021-01-01 to 2021-01-02",
        "starting Spark",
        "classifying reviews of 2021-01-01 to 2021-01-02",
        f"  movie_review {missing.format('movie_review')}",
        "parsing logs of 2021-01-01 to 2021-01-02",
        f"  log_reviews {missing.format('log_reviews')}",
        "",
        "table                    days  not delivered  delivered  staged  quarantined",
        "user_purchase               2              0          2       2            0",
        "classified_movie_review     2              1          1       1            0",
        "review_logs                 2              1          1       0            1",
        "",
        "quarantined from review_logs:",
        "        1  broken XML",
        "",
        "warning: 1 of 1 records of review_logs were rejected",
        "",
        f"staging     {lake.root}/staging",
        f"quarantine  {lake.root}/quarantine",
    ]


@pytest.mark.slow
def test_what_goes_wrong_on_a_worker_is_one_line(lake, s3):
    lake.deliver("movie_review", "2021-01-01", "cid,review_str,id_review\n1,good,1\n")
    settings = lake.settings | s3 | {"STAGING_URI": "s3://no-such-bucket/staging"}
    ran = command("reviews.classify_reviews", "--date", "2021-01-01", **settings)
    assert (ran.stdout, ran.returncode) == ("", 2)
    assert ran.stderr.startswith("error: s3://no-such-bucket/staging or ")
    assert "The specified bucket does not exist" in ran.stderr and ran.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_store_that_does_not_answer_may_do_so_later(lake, s3):
    """A scheduler tries again by the exit code."""
    lake.deliver("movie_review", "2021-01-01", "cid,review_str,id_review\n1,good,1\n")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        nowhere = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{nobody.getsockname()[1]}"}
        settings = lake.settings | s3 | nowhere | {"STAGING_URI": "s3://bucket/staging"}
        ran = command("reviews.classify_reviews", "--date", "2021-01-01", **settings)
    assert (ran.stdout, ran.returncode) == ("", 75), ran.stderr
    assert ran.stderr.startswith("error: s3://bucket/staging cannot be read or written: ")
    assert ran.stderr.count("\n") == 1
