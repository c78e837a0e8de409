"""Raw records are encrypted in quarantine, all else of them can be read; who has the key reads them, and it is recorded."""

import json
import os
import pty
import re
import socket
import subprocess
import sys
from datetime import date

import boto3
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spark_prep import keys
from spark_prep import read_rejected as module
from spark_prep.contract import encryption, publish, tables
from spark_prep.contract.encryption import key_id, read_batches
from spark_prep.errors import ConnectionLost, PreparationError
from spark_prep.tests.secret_manager import (
    KMS_KEY,
    Answering,
    SecretManager,
    access_to_secret_manager,
    serving,
)

DAY = date(2021, 1, 1)
QUARANTINE_KEY = "key-of-raw-records-0123456789"
TABLE = "review_logs"
PHONE, BYTES = "555-019-8642", b"caf\xe9 198.51.100.77"
ROWS: list[dict[str, object]] = [
    {"raw_record": f"1,{PHONE}\x00\x1b[2J", "raw_bytes": None, "reason": "broken XML", "record_id": "1"},
    {"raw_record": "caf\ufffd 198.51.100.77", "raw_bytes": BYTES, "reason": "no log", "record_id": "2"},
]
ROWS = [row | {"file": "/raw/a.csv", "fields": "id_review,log"} for row in ROWS]


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("QUARANTINE_SECRET", QUARANTINE_KEY)
    monkeypatch.delenv("QUARANTINE_KEY_ID", raising=False)


def reject(lake, rows=ROWS, day=DAY):
    """Commit a day of these rejected records; returns their file."""
    run = publish.new_run(lake.settings, TABLE)
    with publish.parts(run, day, 0) as (_, rejected):
        rejected.write_table(pa.Table.from_pylist(rows, schema=tables.QUARANTINE))
    publish.commit(run, day, 1, len(rows), {"broken XML": len(rows)})
    (file,) = (lake.root / "quarantine" / publish.run_folder(TABLE, day, run.id)).iterdir()
    return file


def read(file):
    return [row for batch in read_batches("/", str(file)) for row in batch.to_pylist()]


def test_the_raw_record_is_in_no_byte_of_the_file_and_its_reader_gets_it_back(lake):
    file = reject(lake)
    content = file.read_bytes()
    assert (
        PHONE.encode() not in content
        and b"198.51.100.77" not in content
        and QUARANTINE_KEY.encode() not in content
    )
    assert read(file) == [{name: row[name] for name in tables.QUARANTINE.names} for row in ROWS]


def test_reasons_files_and_ids_are_read_without_a_key(lake, monkeypatch):
    file = reject(lake)
    monkeypatch.delenv("QUARANTINE_SECRET")
    seen = "reason, file, record_id, fields"
    with duckdb.connect() as connection:
        found = connection.execute(f"select {seen} from '{file}'").fetchall()
    assert found == [tuple(row[name] for name in seen.split(", ")) for row in ROWS]
    (batch,) = pq.ParquetFile(file).iter_batches(columns=["reason", "record_id"])
    assert batch.to_pylist() == [{name: row[name] for name in ("reason", "record_id")} for row in ROWS]


def test_the_smallest_and_largest_values_are_not_in_the_footer(lake):
    """Parquet keeps them of a column that is not encrypted."""
    file = reject(lake, [row | {"raw_record": PHONE} for row in ROWS[:1]])
    assert b"broken XML" in file.read_bytes()[-4096:] and PHONE.encode() not in file.read_bytes()


@pytest.mark.parametrize("secret", [None, "", "short", f"{QUARANTINE_KEY},short", f"{QUARANTINE_KEY},"])
def test_without_a_key_nothing_is_written_or_read(lake, monkeypatch, secret):
    file = reject(lake)
    files = lake.files()
    monkeypatch.setenv("QUARANTINE_SECRET", secret or "")
    for refused in (lambda: publish.new_run(lake.settings, TABLE), lambda: read(file)):
        with pytest.raises(
            PreparationError, match=r"QUARANTINE_SECRET has \d characters, a key needs 16 or more"
        ):
            refused()
    assert lake.files() == files


def test_a_key_that_was_replaced_still_reads_what_it_encrypted(lake, monkeypatch):
    old = reject(lake)
    monkeypatch.setenv("QUARANTINE_SECRET", "another-key-0123456789")
    new = reject(lake, day=date(2021, 1, 2))
    with pytest.raises(
        PreparationError,
        match=rf"{re.escape(str(old))} cannot be decrypted: it was encrypted with another key than QUARANTINE_SECRET",
    ):
        read(old)
    monkeypatch.setenv("QUARANTINE_SECRET", f"another-key-0123456789, {QUARANTINE_KEY}")
    assert read(old) == read(new)
    monkeypatch.setenv("QUARANTINE_SECRET", "another-key-0123456789")
    assert len(read(new)) == 2


def test_a_file_of_before_is_read_as_it_is(tmp_path, monkeypatch):
    pq.write_table(pa.Table.from_pylist(ROWS, schema=tables.QUARANTINE), tmp_path / "old.parquet")
    monkeypatch.delenv("QUARANTINE_SECRET")
    assert [row["raw_bytes"] for row in read(tmp_path / "old.parquet")] == [None, BYTES]


def test_a_changed_or_cut_file_is_refused(lake, tmp_path):
    content = reject(lake).read_bytes()
    (tmp_path / "cut.parquet").write_bytes(content[:-9])
    with pytest.raises(pa.ArrowInvalid, match=r"cut\.parquet: Parquet magic bytes not found"):
        read(tmp_path / "cut.parquet")
    # of the first page of raw_record
    (tmp_path / "changed.parquet").write_bytes(content[:60] + bytes([content[60] ^ 1]) + content[61:])
    with pytest.raises(
        PreparationError, match=r"changed\.parquet cannot be decrypted.* the file was changed or is damaged"
    ):
        read(tmp_path / "changed.parquet")
    # what can be read without a key is signed
    place = content.rindex(b"broken XML")
    (tmp_path / "changed.parquet").write_bytes(content[:place] + b"B" + content[place + 1 :])
    with pytest.raises(pa.ArrowInvalid, match=r"changed\.parquet: .*signature verification failed"):
        read(tmp_path / "changed.parquet")


@pytest.fixture
def google(monkeypatch):
    SecretManager.asked.clear()
    monkeypatch.delenv("QUARANTINE_SECRET")
    monkeypatch.setenv("QUARANTINE_KEY_ID", KMS_KEY)
    encryption._factory.cache_clear()
    with serving(SecretManager) as address:
        for name, value in access_to_secret_manager(address).items():
            monkeypatch.setenv(name, value)
        yield
    encryption._factory.cache_clear()


def test_the_key_service_of_google_is_asked_once_in_a_process_and_keeps_the_key(lake, google):
    assert key_id() == KMS_KEY
    files = [reject(lake, day=date(2021, 1, day)) for day in (1, 2, 3)]
    assert [len(read(file)) for file in files] == [2, 2, 2]
    token = "/computeMetadata/v1/instance/service-accounts/default/token"
    assert SecretManager.asked == [token, f"/v1/{KMS_KEY}:encrypt", token, f"/v1/{KMS_KEY}:decrypt"]


def test_a_key_of_google_that_cannot_be_used_is_named(lake, google, monkeypatch):
    file = reject(lake)
    SecretManager.encrypted.clear()
    encryption._factory.cache_clear()
    with pytest.raises(
        PreparationError, match=f"the key {KMS_KEY} cannot decrypt: this was not encrypted with it"
    ):
        read(file)
    for name, advice in (
        ("forbidden", r"allow the service account that asks roles/cloudkms\.cryptoKeyEncrypter on it"),
        ("none", "it does not exist; correct its name"),
    ):
        monkeypatch.setenv("QUARANTINE_KEY_ID", KMS_KEY.replace("quarantine", name))
        with pytest.raises(PreparationError, match=advice):
            reject(lake)


class GoneAway(Answering):
    """Takes the request and hangs up."""

    def do_POST(self):
        pass


@pytest.mark.parametrize("fault", ["refuses connections", "hangs up", "has no address", "is too slow"])
def test_a_key_service_of_google_that_does_not_answer_may_answer_later(lake, google, monkeypatch, fault):
    service = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"
    if fault == "has no address":
        monkeypatch.setenv(service, "http://cloudkms.invalid/")
    if fault == "refuses connections":
        monkeypatch.setenv(service, "http://127.0.0.1:1/")
    with serving(GoneAway) as address, socket.create_server(("127.0.0.1", 0)) as silent:
        if fault == "hangs up":
            monkeypatch.setenv(service, f"http://{address}/")
        if fault == "is too slow":
            monkeypatch.setattr(keys, "SECONDS", 0.5)
            monkeypatch.setenv(service, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with pytest.raises(ConnectionLost, match=f"{KMS_KEY} cannot encrypt: http.* does not answer"):
            reject(lake)


@pytest.mark.parametrize(
    ("status", "kind"), [(403, PreparationError), (404, PreparationError), (503, ConnectionLost)]
)
def test_a_machine_of_google_without_a_service_account_gets_no_advice_for_the_key(
    lake, google, monkeypatch, status, kind
):
    class NoToken(Answering):
        def do_GET(self):
            self.answer(status, {})

    with serving(NoToken) as address:
        monkeypatch.setenv("GCE_METADATA_HOST", address)
        with pytest.raises(
            PreparationError,
            match=f"cannot encrypt: .*/token answered .*{status}.*give the machine a service account",
        ) as refusal:
            reject(lake)
    assert type(refusal.value) is kind


def test_the_key_service_of_aws(lake, s3, monkeypatch):
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    kms = boto3.client("kms", region_name="eu-west-1")
    key = kms.create_key()["KeyMetadata"]
    monkeypatch.delenv("QUARANTINE_SECRET")
    monkeypatch.setenv("QUARANTINE_KEY_ID", key["Arn"])
    encryption._factory.cache_clear()
    file = reject(lake)
    encryption._factory.cache_clear()
    assert read(file)[1]["raw_bytes"] == BYTES

    encryption._factory.cache_clear()
    monkeypatch.setenv("QUARANTINE_KEY_ID", key["Arn"].replace(key["KeyId"], "none"))
    with pytest.raises(
        PreparationError, match=r"key/none cannot encrypt: it does not exist; correct its name"
    ):
        reject(lake)
    monkeypatch.setenv("QUARANTINE_KEY_ID", key["Arn"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ConnectionLost, match="cannot encrypt: Could not connect"):
        reject(lake)


class Busy(Answering):
    """KMS, as it answers who asks too often."""

    def do_POST(self):
        self.answer(400, {"__type": "ThrottlingException", "Message": "Rate exceeded"})


def test_a_key_service_that_was_asked_too_often_may_answer_later(lake, s3, monkeypatch):
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("QUARANTINE_SECRET")
    monkeypatch.setenv("QUARANTINE_KEY_ID", "arn:aws:kms:eu-west-1:123456789012:key/any")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    encryption._factory.cache_clear()
    with serving(Busy) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
        with pytest.raises(ConnectionLost, match=r"cannot encrypt: .*Rate exceeded"):
            reject(lake)


def test_after_a_move_to_a_key_service_the_secret_only_reads_older_files(lake, monkeypatch, request):
    old = reject(lake)
    request.getfixturevalue("google")
    monkeypatch.setenv("QUARANTINE_SECRET", QUARANTINE_KEY)
    assert key_id() == KMS_KEY
    new = reject(lake, day=date(2021, 1, 2))
    assert read(old) == read(new) and len(read(new)) == 2
    assert b"cryptoKeys" in new.read_bytes() and b"cryptoKeys" not in old.read_bytes()
    monkeypatch.delenv("QUARANTINE_SECRET")
    assert len(read(new)) == 2


def test_what_names_no_key_is_refused(monkeypatch):
    monkeypatch.setenv("QUARANTINE_KEY_ID", "quarantine")
    with pytest.raises(PreparationError, match="QUARANTINE_KEY_ID is 'quarantine'; write arn:aws:kms:"):
        key_id()


def show(lake, monkeypatch, *options):
    for name, value in lake.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["read_rejected", "--date", str(DAY), "--table", TABLE, *options])
    module.main()


def recorded(lake):
    return [json.loads(file.read_text()) for file in (lake.root / "quarantine/read").rglob("*.json")]


def test_who_reads_what_is_recorded_and_nothing_of_its_content(lake, monkeypatch, capsys):
    reject(lake)
    show(lake, monkeypatch)
    printed = capsys.readouterr()
    assert printed.out.isascii() and "\x1b" not in printed.out and "\x00" not in printed.out
    shown = [json.loads(line) for line in printed.out.splitlines()]
    assert [row["raw_record"] for row in shown] == [row["raw_record"] for row in ROWS]
    assert shown[1]["raw_base64"] == "Y2Fm6SAxOTguNTEuMTAwLjc3"
    (line,) = recorded(lake)
    assert line.pop("at")[:2] == "20" and "@" in line.pop("who")
    assert line == {
        "table": TABLE, "day": str(DAY), "run": lake.delivery(TABLE, DAY)["run"], "reason": None, "record_id": None, "records": 2,
    }  # fmt: skip
    assert PHONE not in printed.err and "recorded in" in printed.err


def test_a_user_without_a_name_is_recorded_by_number(lake, monkeypatch, capsys):
    reject(lake)
    monkeypatch.setattr(os, "getuid", lambda: 1_234_567_890)
    show(lake, monkeypatch)
    assert PHONE in capsys.readouterr().out
    assert [line["who"].partition("@")[0] for line in recorded(lake)] == ["1234567890"]


def test_only_the_records_that_are_asked_for(lake, monkeypatch, capsys):
    reject(lake)
    show(lake, monkeypatch, "--reason", "no log")
    show(lake, monkeypatch, "--id", "1")
    assert [json.loads(line)["record_id"] for line in capsys.readouterr().out.splitlines()] == ["2", "1"]
    assert sorted(line["records"] for line in recorded(lake)) == [1, 1]


def test_what_cannot_be_recorded_is_not_shown(lake, monkeypatch, capsys):
    reject(lake)
    (lake.root / "quarantine/read").write_text("no folder")
    with pytest.raises(
        PreparationError, match="rejected records of review_logs of 2021-01-01 cannot be read"
    ):
        show(lake, monkeypatch)
    assert capsys.readouterr().out == ""


def test_a_day_that_was_not_delivered_has_none(lake, monkeypatch):
    with pytest.raises(PreparationError, match="was not delivered, so there are no rejected records"):
        show(lake, monkeypatch)


def test_at_a_terminal_it_asks_for_the_key(lake):
    reject(lake)
    inside, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "spark_prep.read_rejected", "--date", str(DAY), "--table", TABLE],
        env={name: value for name, value in os.environ.items() if name != "QUARANTINE_SECRET"} | lake.settings,
        stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stderr and process.stderr.read(len("QUARANTINE_SECRET: ")) == "QUARANTINE_SECRET: "
    os.write(inside, f"{QUARANTINE_KEY}\n".encode())
    shown, told = process.communicate(timeout=600)
    assert process.returncode == 0 and PHONE in shown and QUARANTINE_KEY not in told
