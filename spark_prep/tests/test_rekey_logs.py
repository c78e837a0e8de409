"""After the key of the pseudonyms was changed, the logs of all days get pseudonyms of the new key, and nothing keeps an old one."""

import hashlib
import hmac
import os
import subprocess
import sys
from datetime import date

import pyarrow.parquet as pq
import pytest

from spark_prep import prepare_staging, replay_day
from spark_prep.contract import publish
from spark_prep.errors import PreparationError
from spark_prep.logs import rekey_logs as module
from spark_prep.logs.parse_logs import parse_logs
from spark_prep.logs.rekey_logs import find_other_keys

DAYS = [date(2021, 1, day) for day in (1, 2, 3)]
FIRST, SECOND, THIRD = DAYS
ADDRESS, PHONE = "192.0.2.7", "555-0100"
LOG = (
    "<reviewlog><log><logDate>01-01-2021</logDate><os>iOS</os>"
    f"<ipAddress>{ADDRESS}</ipAddress><phoneNumber>{PHONE}</phoneNumber></log></reviewlog>"
)
OLD, NEW = "key-for-tests-0123456789", "a-new-key-for-tests-9876543210"


def digest(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def deliver(lake, day, logs=2):
    lines = [f"{number},{LOG}" for number in range(logs)]
    lake.deliver("log_reviews", day, "\n".join(["id_review,log", *lines, "99,no XML", ""]))


@pytest.fixture
def staged(lake, spark, monkeypatch):
    """Three days of two logs each and one that was rejected, with the first version of the key."""
    monkeypatch.setenv("PSEUDONYM_SECRET", OLD)
    monkeypatch.setenv("PSEUDONYM_KEY_VERSION", "1")
    for day in DAYS:
        deliver(lake, day)
    parse_logs(spark, lake.settings, DAYS)
    for name, value in lake.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PSEUDONYM_KEY_VERSION", "2")
    return lake


def call(monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["rekey_logs", *options])
    module.main()


def versions(lake, day):
    return [row["pseudonym_key_version"] for row in lake.staged("review_logs", day)]


def runs(lake):
    return sorted(
        str(path.parent.relative_to(lake.root)) for path in lake.root.glob("*/review_logs/*/*/*.parquet")
    )


def test_another_process_with_the_new_key_stages_builds_and_removes(staged):
    """As `make rekey YES=1` calls it. The workers of these tests' Spark have the old key, so this needs a Spark of its own."""

    def other(*options):
        command = [sys.executable, "-m", "spark_prep.logs.rekey_logs", *options]
        environment = os.environ | {"PSEUDONYM_SECRET": NEW}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout.splitlines()

    before = [staged.delivery("review_logs", day) for day in DAYS]
    assert other() == [
        "            6 logs have pseudonyms of key 1",
        "on 3 days, 2021-01-01 to 2021-01-03; the key that counts now is 2",
    ]
    assert other("--stage") == [
        "3 of 3 days, up to 2021-01-03: 6 logs staged again",
        "",
        "3 replaced runs have pseudonyms of other keys than 2",
        "DBT_FROM_DATE=2021-01-01 DBT_TO_DATE=2021-01-03",
    ]
    for day, row in zip(DAYS, before, strict=True):
        found = staged.staged("review_logs", day)
        assert {row["ip"] for row in found} == {digest(NEW, ADDRESS)}
        assert {row["phone_number"] for row in found} == {digest(NEW, PHONE)}
        now = staged.delivery("review_logs", day)
        assert now.pop("run") != row.pop("run")
        assert now == row
        assert staged.rejections("review_logs", day) == {"broken XML": 1}
    assert other("--remove") == ["all staged logs have pseudonyms of key 2, in all runs of all days"]
    everything = b"".join(path.read_bytes() for path in staged.root.glob("[!r]*/**/*") if path.is_file())
    assert digest(NEW, ADDRESS).encode() in everything
    assert digest(OLD, ADDRESS).encode() not in everything
    assert digest(OLD, PHONE).encode() not in everything
    assert other("--stage")[-1] == "DBT_FROM_DATE= DBT_TO_DATE="


def test_both_versions_live_side_by_side_until_then(staged, spark):
    deliver(staged, date(2021, 1, 4))
    parse_logs(spark, staged.settings, [date(2021, 1, 4)])
    assert [versions(staged, day) for day in (THIRD, date(2021, 1, 4))] == [["1", "1"], ["2", "2"]]
    found = find_other_keys(staged.settings["STAGING_URI"], "2")
    assert (sorted(found.days), found.logs, found.replaced) == (DAYS, {"1": 6}, [])


def test_another_key_under_a_version_that_is_in_use_is_refused(staged, spark, monkeypatch):
    monkeypatch.setenv("PSEUDONYM_SECRET", NEW)
    monkeypatch.setenv("PSEUDONYM_KEY_VERSION", "1")
    before = staged.files()
    with pytest.raises(PreparationError, match="PSEUDONYM_SECRET is another key than version 1 was"):
        parse_logs(spark, staged.settings, [FIRST])
    replay = ["replay_day", "--date", str(FIRST), "--table", "review_logs"]
    monkeypatch.setattr(sys, "argv", replay)
    with pytest.raises(PreparationError, match="PSEUDONYM_SECRET is another key than version 1 was"):
        replay_day.main()
    # before the export: the shop's database is not even there
    monkeypatch.setenv("USER_PURCHASE_DSN", "postgresql:///none")
    monkeypatch.setenv("START_DATE", str(FIRST))
    monkeypatch.setattr(sys, "argv", ["prepare_staging", "--date", str(FIRST)])
    with pytest.raises(PreparationError, match="PSEUDONYM_SECRET is another key than version 1 was"):
        prepare_staging.main()
    assert staged.files() == before
    # no one learns the key from it, and a version of any name has a file
    (known,) = staged.root.glob("staging/pseudonym_key/*")
    assert (known.name, known.read_text()) == ("1", digest(OLD, "version 1"))
    monkeypatch.setenv("PSEUDONYM_KEY_VERSION", "../2")
    parse_logs(spark, staged.settings, [FIRST])
    assert {file.name for file in known.parent.iterdir()} == {"1", "..%2F2"}


def test_a_killed_try_is_ended_by_the_next_and_names_the_days_that_were_not_built(
    staged, spark, monkeypatch, capsys
):
    monkeypatch.setattr(module, "DAYS_AT_ONCE", 1)
    monkeypatch.setattr(module, "start_spark", lambda name: spark)
    tries = []

    def killed_at_the_second(*arguments):
        tries.append(arguments)
        if len(tries) == 2:
            raise KeyboardInterrupt
        return parse_logs(*arguments)

    monkeypatch.setattr(module, "parse_logs", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        call(monkeypatch, "--stage")
    assert [versions(staged, day) for day in DAYS] == [["2", "2"], ["1", "1"], ["1", "1"]]
    capsys.readouterr()
    call(monkeypatch, "--stage")
    assert [days for _, _, days, _ in tries] == [[FIRST], [SECOND], [SECOND], [THIRD]]
    assert [versions(staged, day) for day in DAYS] == [["2", "2"]] * 3
    # also after a kill in the build: as long as nothing is removed
    for _ in range(2):
        assert capsys.readouterr().out.splitlines()[-1] == "DBT_FROM_DATE=2021-01-01 DBT_TO_DATE=2021-01-03"
        call(monkeypatch, "--stage")
    call(monkeypatch, "--remove")
    assert len({run.partition("/")[2] for run in runs(staged)}) == 3
    assert [versions(staged, day) for day in DAYS] == [["2", "2"]] * 3


@pytest.mark.parametrize("files_before", [1, 2])
def test_a_day_without_all_of_its_files_is_named_and_keeps_its_logs(
    staged, spark, monkeypatch, capsys, files_before
):
    monkeypatch.setattr(module, "start_spark", lambda name: spark)
    (folder,) = staged.root.glob("raw/log_reviews/insert_date=2021-01-02")
    if files_before == 2:
        (folder / "second.csv").write_text("id_review,log\n")
        monkeypatch.setenv("PSEUDONYM_KEY_VERSION", "1")
        parse_logs(spark, staged.settings, [SECOND])
        monkeypatch.setenv("PSEUDONYM_KEY_VERSION", "2")
    next(file for file in folder.iterdir() if file.name != "second.csv").unlink()
    call(monkeypatch, "--stage")
    said = capsys.readouterr().out
    assert (
        f"not all of their files, or not all of their records, are in {staged.root}/raw, so they stay as they are: 2021-01-02\n"
        in said
    )
    assert [versions(staged, day) for day in DAYS] == [["2", "2"], ["1", "1"], ["2", "2"]]
    with pytest.raises(
        PreparationError,
        match="logs of 2021-01-02 still have pseudonyms of another key: have their files in RAW_URI",
    ):
        call(monkeypatch, "--remove")
    assert versions(staged, SECOND) == ["1", "1"]
    # what was replaced on the other days is gone all the same
    assert find_other_keys(staged.settings["STAGING_URI"], "2").replaced == []


def test_a_day_whose_files_have_more_records_is_named(staged, spark, monkeypatch, capsys):
    monkeypatch.setattr(module, "start_spark", lambda name: spark)
    deliver(staged, THIRD, logs=3)
    call(monkeypatch, "--stage")
    said = capsys.readouterr().out
    assert "warning: the files of 2021-01-03 have changed: they have more records than before\n" in said
    assert versions(staged, THIRD) == ["2"] * 3


def test_a_day_whose_files_have_fewer_records_keeps_all_that_it_had(staged, spark, monkeypatch, capsys):
    """What the vendor has taken out of a file meanwhile is in staging alone."""
    monkeypatch.setattr(module, "start_spark", lambda name: spark)
    staging = staged.settings["STAGING_URI"]
    before, files = (
        publish.committed(staging, "review_logs", SECOND),
        {run for run in runs(staged) if "01-02" in run},
    )
    deliver(staged, SECOND, logs=1)
    row = staged.root / "staging/delivery/insert_date=2021-01-02/review_logs.parquet"
    written = row.stat().st_mtime_ns
    call(monkeypatch, "--stage")
    # at no time was the day another, whenever the call is killed
    assert row.stat().st_mtime_ns == written
    said = capsys.readouterr().out
    assert "not all of their records, are in" in said and "so they stay as they are: 2021-01-02\n" in said
    assert publish.committed(staging, "review_logs", SECOND) == before and before and before.run
    assert publish.rejections(staging, "review_logs", SECOND, before.run) == {"broken XML": 1}
    with pytest.raises(PreparationError, match=r"logs of 2021-01-02 still have .* as any other day"):
        call(monkeypatch, "--remove")
    assert {run for run in runs(staged) if "01-02" in run} == files
    assert [versions(staged, day) for day in DAYS] == [["2", "2"], ["1", "1"], ["2", "2"]]
    # the operator decides that the day is to have fewer
    parse_logs(spark, staged.settings, [SECOND])
    call(monkeypatch, "--remove")
    assert versions(staged, SECOND) == ["2"] and find_other_keys(staging, "2").replaced == []


def test_nothing_is_changed_without_a_step_and_without_a_key(staged, monkeypatch):
    before = staged.files()
    call(monkeypatch)
    monkeypatch.setenv("PSEUDONYM_SECRET", "")
    with pytest.raises(PreparationError, match="PSEUDONYM_SECRET"):
        call(monkeypatch, "--stage")
    # nothing was replaced, so nothing may go
    with pytest.raises(PreparationError, match="still have pseudonyms of another key"):
        call(monkeypatch, "--remove")
    assert staged.files() == before


def test_a_file_that_cannot_be_read_is_staged_again_or_removed(staged, spark, monkeypatch, capsys):
    monkeypatch.setattr(module, "start_spark", lambda name: spark)
    run = staged.delivery("review_logs", FIRST)["run"]
    (part,) = (staged.root / f"staging/review_logs/insert_date=2021-01-01/run={run}").iterdir()
    part.write_bytes(part.read_bytes()[:-20])
    killed = part.parents[1] / "run=20210101T000000-00000000/part-00000.parquet"
    killed.parent.mkdir()
    killed.write_bytes(b"PAR1")
    call(monkeypatch)
    assert capsys.readouterr().out.splitlines()[:2] == [
        "            4 logs have pseudonyms of key 1",
        "            1 files cannot be read",
    ]
    call(monkeypatch, "--stage")
    call(monkeypatch, "--remove")
    assert versions(staged, FIRST) == ["2", "2"]
    assert not killed.exists()
    for path in staged.root.glob("staging/review_logs/*/*/*"):
        pq.read_metadata(path)
