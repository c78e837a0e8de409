"""Which logs are staged, and as what. Without Spark; what XML is, test_review_log.py knows."""

import hashlib
import hmac
import os
from datetime import date
from functools import partial
from unittest import mock

import pyarrow as pa
import pytest

from spark_prep.logs.parse_logs import LOG_REVIEWS, dates, parse
from spark_prep.spark.stage_task import Stage
from spark_prep.tests.without_spark import Staged, stage_text

LOGS = Stage("review_logs", LOG_REVIEWS, partial(parse, secret_id="", key_version="1"))
DATED = "<logDate>04-25-2021</logDate>"


def wrap(inner: str) -> str:
    return f"<reviewlog><log>{inner}</log></reviewlog>"


BROKEN, ONE, REPEATED = "broken XML", "not exactly one <log>", "a tag is repeated"
NO_DATE, NOT_A_DATE = "no logDate", "logDate is not a MM-dd-yyyy date"
REJECTED = [
    (" ", wrap(DATED), "no id_review"),
    ("x1", wrap(DATED), "id_review is not an integer"),
    ("99999999999", wrap(DATED), "id_review is not an integer"),
    ("3", "  ", "no log"),
    ("4", wrap(DATED)[:-5], BROKEN),
    ("5", "not XML", BROKEN),
    ("6", wrap(DATED + "<os>a & b</os>"), BROKEN),
    ("7", wrap(DATED) + "junk", BROKEN),
    ("8", "junk" + wrap(DATED), BROKEN),
    ("9", wrap(DATED) + wrap(DATED), BROKEN),
    ("10", f"<log>{DATED}</log>", BROKEN),
    ("11", f"<other><log>{DATED}</log></other>", BROKEN),
    ("12", "<!DOCTYPE r [<!ENTITY x 'y'>]>" + wrap(DATED + "<os>&x;</os>"), BROKEN),
    ("13", wrap(DATED + "<os>Linux"), BROKEN),
    ("14", f"<reviewlog><log>{DATED}</log><log>{DATED}</log></reviewlog>", ONE),
    ("15", "<reviewlog></reviewlog>", ONE),
    ("16", "<reviewlog/>", ONE),
    ("17", f"<reviewlog><x><log>{DATED}</log></x></reviewlog>", ONE),
    ("18", wrap(DATED + "<os>a</os><os>b</os>"), REPEATED),
    ("19", wrap(DATED + DATED), REPEATED),
    ("20", wrap("<os>Linux</os>"), NO_DATE),
    ("21", wrap("<logDate> </logDate>"), NO_DATE),
    ("22", wrap("<logDate>04-31-2021</logDate>"), NOT_A_DATE),
    ("23", wrap("<logDate>25-04-2021</logDate>"), NOT_A_DATE),
    ("24", wrap("<logDate>2021-04-05</logDate>"), NOT_A_DATE),
    ("25", wrap("<logDate>4-25-2021</logDate>"), NOT_A_DATE),
    ("26", wrap("<logDate>04-25-20211</logDate>"), NOT_A_DATE),
    ("27", wrap("<logDate>01-01-0000</logDate>"), NOT_A_DATE),
    ("28", wrap("<logDate>02-29-2021</logDate>"), NOT_A_DATE),
    ("29", wrap("<logDate>\u0660\u0664-25-2021</logDate>"), NOT_A_DATE),
    ("30", wrap(DATED + "<device><b>x</b></device>"), "markup in a value"),
]


def staged(content: str, key: str) -> Staged:
    with mock.patch.dict(os.environ, {"PSEUDONYM_SECRET": key}):
        return stage_text("id_review,log\n" + content, LOGS)


@pytest.fixture(scope="module")
def parsed(key):
    full = (
        "<logDate>02-29-2020</logDate><device>Tablet</device><location>New York</location><os>R&amp;D</os>"
        "<browser>Lynx</browser><ipAddress>9.1.2.3</ipAddress><phoneNumber>555-010-4477</phoneNumber>"
    )
    accepted = [
        ("101", wrap(full)),
        ("102", wrap(DATED)),
        (
            "103",
            wrap("<logDate> 04-25-2021 </logDate><device>  SmartTV </device><os/><location> </location>"),
        ),
        ("104", f"<?xml version='1.0'?>\n<reviewlog a='1'>\n<log>{DATED}<extra/></log>\n</reviewlog>\n"),
        ("105", wrap(DATED + "<phoneNumber> 555-010-4477 </phoneNumber><ipAddress/>")),
    ]
    lines = [
        '"{}","{}"'.format(id_review, log.replace('"', '""')) for id_review, log, *_ in [*accepted, *REJECTED]
    ]
    return staged("\n".join(lines) + "\n", key)


def test_values_are_trimmed_and_blank_ones_are_null(parsed, key):
    rows = {row["log_id"]: row for row in parsed.staged}
    assert sorted(rows) == [101, 102, 103, 104, 105]
    assert rows[101] == {
        "log_id": 101,
        "log_date": date(2020, 2, 29),
        "device": "Tablet",
        "os": "R&D",
        "location": "New York",
        "browser": "Lynx",
        "ip": hmac.new(key.encode(), b"9.1.2.3", hashlib.sha256).hexdigest(),
        "phone_number": hmac.new(key.encode(), b"555-010-4477", hashlib.sha256).hexdigest(),
        "pseudonym_key_version": "1",
    }
    nothing = dict.fromkeys(("device", "os", "location", "browser", "ip", "phone_number"))
    dated = {"log_date": date(2021, 4, 25), "pseudonym_key_version": "1"}
    assert rows[102] == {**nothing, **dated, "log_id": 102}
    assert rows[103] == {**nothing, **dated, "log_id": 103, "device": "SmartTV"}
    assert rows[104] == {**nothing, **dated, "log_id": 104}
    assert rows[105] == {**nothing, **dated, "log_id": 105, "phone_number": rows[101]["phone_number"]}


@pytest.mark.parametrize(("id_review", "log", "reason"), REJECTED)
def test_reason(parsed, id_review, log, reason):
    raw = '"{}","{}"'.format(id_review, log.replace('"', '""'))
    (row,) = [row for row in parsed.quarantined if row["raw_record"] == raw]
    id_ = None if reason == "id_review is not an integer" else id_review.strip() or None
    assert (row["reason"], row["record_id"]) == (reason, id_)


def test_every_log_is_accounted_for(parsed):
    assert parsed.delivered() == len(parsed.staged) + len(parsed.quarantined) == 5 + len(REJECTED)


def test_broken_lines_keep_their_id(key):
    found = staged(f'1,a,b\n2\n3,"{wrap(DATED)}\n4,{wrap(DATED)}\n', key)
    assert [row["log_id"] for row in found.staged] == [4]
    fields, quote = "wrong number of fields", "unclosed quote"
    rejected = [(row["record_id"], row["reason"]) for row in found.quarantined]
    assert rejected == [("1", fields), (None, fields), ("3", quote)]


def test_dates_are_days_of_the_years_1_to_9999():
    texts = [
        "01-01-0001",
        "12-31-9999",
        "02-29-2000",
        "02-29-1900",
        "00-01-2021",
        "13-01-2021",
        "1-01-2021",
        "",
        None,
    ]
    expected = [date(1, 1, 1), date(9999, 12, 31), date(2000, 2, 29), *[None] * 6]
    assert dates(pa.array(texts, pa.string())).to_pylist() == expected
