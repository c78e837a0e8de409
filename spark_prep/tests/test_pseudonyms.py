import hashlib
import hmac
from datetime import date

import pytest
from pyspark.sql import functions as F

from spark_prep.errors import PreparationError
from spark_prep.parse_logs import parse_logs
from spark_prep.pseudonyms import hmac_sha256, key_version, pseudonym, require_key

CANARY = "555-019-8642"
DAY = date(2021, 1, 1)


def test_the_known_vector_on_a_worker(spark, key):
    values = [("  555-010-0000 ",), ("9.1.2.3",), ("",), ("  ",), (None,)]
    frame = spark.createDataFrame(values, "value string").select(pseudonym(F.col("value")).alias("pseudonym"))
    expected = [hmac.new(key.encode(), v, hashlib.sha256).hexdigest() for v in (b"555-010-0000", b"9.1.2.3")]
    assert [row.pseudonym for row in frame.collect()] == [*expected, None, None, None]


def test_another_key_gives_another_pseudonym(monkeypatch, key):
    monkeypatch.setenv("PSEUDONYM_SECRET", key)
    one = hmac_sha256(CANARY)
    monkeypatch.setenv("PSEUDONYM_SECRET", key + "x")
    assert one != hmac_sha256(CANARY)


@pytest.mark.parametrize("key", ["", "   ", "fifteen-letters", "     fifteen-letters"])
def test_a_short_key_is_refused_before_any_work(monkeypatch, lake, key):
    monkeypatch.setenv("PSEUDONYM_SECRET", key)
    with pytest.raises(PreparationError, match="a key needs 16 or more") as refusal:
        parse_logs(None, lake.settings, [DAY])
    assert not key.strip() or key.strip() not in str(refusal.value)
    monkeypatch.setenv("PSEUDONYM_SECRET", "sixteen-letters!")
    require_key()


def test_the_key_version_is_1_unless_told(monkeypatch):
    monkeypatch.delenv("PSEUDONYM_KEY_VERSION", raising=False)
    assert key_version() == "1"
    monkeypatch.setenv("PSEUDONYM_KEY_VERSION", "2")
    assert key_version() == "2"


def test_the_key_is_in_no_plan(spark, capsys, key):
    spark.createDataFrame([(CANARY,)], "value string").select(pseudonym(F.col("value"))).explain(True)
    plan = capsys.readouterr().out
    assert "hmac_sha256" in plan and key not in plan


def test_key_and_canary_are_in_no_event_log_and_no_staged_file(spark, lake, event_log, key):
    log = "<reviewlog><log><logDate>01-01-2021</logDate><phoneNumber>{}</phoneNumber></log></reviewlog>"
    lake.deliver("log_reviews", DAY, f"id_review,log\n1,{log.format(CANARY)}\n2,{log.format(CANARY)}broken\n")
    parse_logs(spark, lake.settings, [DAY])
    assert len(lake.staged("review_logs", DAY)) == 1

    events = b"".join(file.read_bytes() for file in event_log.rglob("*") if file.is_file())
    assert b"hmac_sha256" in events
    files = lake.files()
    staging = b"".join(content for name, content in files.items() if name.startswith("staging/"))
    for secret in (key.encode(), CANARY.encode()):
        assert secret not in events
        assert secret not in staging
    # the search would find it: the quarantine holds raw records
    assert CANARY in lake.quarantined("review_logs", DAY)[0]["raw_record"]
    assert key.encode() not in b"".join(files.values())
