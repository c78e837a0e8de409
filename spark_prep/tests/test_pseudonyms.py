"""Pseudonyms, and where their key comes from: the environment, AWS Secrets Manager (moto, a server of the emulator on
loopback) or Google's Secret Manager (our own stand-in for it and for the metadata server)."""

import hashlib
import hmac
import subprocess
import sys
from datetime import date
from threading import Thread
from unittest import mock
from urllib.request import Request, urlopen

import boto3
import pyarrow as pa
import pytest

from ci.staged_sample import ROOT
from spark_prep import keys
from spark_prep.errors import PreparationError
from spark_prep.logs import pseudonyms as module
from spark_prep.logs.parse_logs import parse_logs
from spark_prep.logs.pseudonyms import key_version, pseudonyms, require_key, secret_id
from spark_prep.tests.secret_manager import (
    STORED_KEY,
    Answering,
    SecretManager,
    access_to_secret_manager,
    serving,
)

CANARY = "555-019-8642"
DAY = date(2021, 1, 1)


def digest(value: str, secret_id: str = "") -> str:
    return pseudonyms(pa.array([value]), secret_id)[0].as_py()


def test_the_known_vector(monkeypatch, key):
    monkeypatch.setenv("PSEUDONYM_SECRET", key)
    values = pa.array(["  555-010-0000 ", "9.1.2.3", "", "  ", None, "9.1.2.3"])
    one, two = (hmac.new(key.encode(), v, hashlib.sha256).hexdigest() for v in (b"555-010-0000", b"9.1.2.3"))
    assert pseudonyms(values, secret_id="").to_pylist() == [one, two, None, None, None, two]


def test_values_that_repeat_are_keyed_once(monkeypatch, key):
    monkeypatch.setenv("PSEUDONYM_SECRET", key)
    digest_of = mock.Mock(wraps=module._digest)
    monkeypatch.setattr(module, "_digest", digest_of)
    pseudonyms(pa.array(["9.1.2.3"] * 1000 + ["9.1.2.4"]), secret_id="")
    assert [call.args[0] for call in digest_of.call_args_list] == ["9.1.2.3", "9.1.2.4"]


def test_another_key_gives_another_pseudonym(monkeypatch, key):
    monkeypatch.setenv("PSEUDONYM_SECRET", key)
    one = digest(CANARY)
    monkeypatch.setenv("PSEUDONYM_SECRET", key + "x")
    assert one != digest(CANARY)


@pytest.mark.parametrize("key", ["", "   ", "fifteen-letters", "     fifteen-letters"])
def test_a_short_key_is_refused_before_any_work(monkeypatch, lake, key):
    monkeypatch.setenv("PSEUDONYM_SECRET", key)
    with pytest.raises(PreparationError, match="a key needs 16 or more") as refusal:
        parse_logs(None, lake.settings, [DAY])  # type: ignore[arg-type]  # Spark is not asked for anything
    assert not key.strip() or key.strip() not in str(refusal.value)
    monkeypatch.setenv("PSEUDONYM_SECRET", "sixteen-letters!")
    require_key()


def test_the_key_version_is_1_unless_told(monkeypatch):
    monkeypatch.delenv("PSEUDONYM_KEY_VERSION", raising=False)
    assert key_version() == "1"
    monkeypatch.setenv("PSEUDONYM_KEY_VERSION", "2")
    assert key_version() == "2"


def test_key_and_canary_are_in_no_event_log_and_no_staged_file(spark, lake, event_log, key):
    log = "<reviewlog><log><logDate>01-01-2021</logDate><phoneNumber>{}</phoneNumber></log></reviewlog>"
    lake.deliver("log_reviews", DAY, f"id_review,log\n1,{log.format(CANARY)}\n2,{log.format(CANARY)}broken\n")
    parse_logs(spark, lake.settings, [DAY])
    assert len(lake.staged("review_logs", DAY)) == 1

    events = b"".join(file.read_bytes() for file in event_log.rglob("*") if file.is_file())
    assert b"MapInArrow" in events
    files = lake.files()
    staging = b"".join(content for name, content in files.items() if name.startswith("staging/"))
    for secret in (key.encode(), CANARY.encode()):
        assert secret not in events
        assert secret not in staging
    # a log with it was read: raw records are encrypted
    assert CANARY in lake.quarantined("review_logs", DAY)[0]["raw_record"]
    assert CANARY.encode() not in b"".join(files.values()) and key.encode() not in b"".join(files.values())


@pytest.fixture(autouse=True)
def no_key_of_another_test(monkeypatch):
    monkeypatch.delenv("PSEUDONYM_SECRET_ID", raising=False)
    keys._secret.cache_clear()


@pytest.fixture(scope="module")
def moto():
    program = ROOT / ".venv-airflow/bin/moto_server"
    if not program.exists():
        pytest.skip("moto is in .venv-airflow, which is not there (make test makes it)")
    server = subprocess.Popen([program, "-H", "127.0.0.1", "-p", "0"], stderr=subprocess.PIPE, text=True)
    try:
        url = next(line.split()[-1] for line in server.stderr if "Running on http" in line)
        Thread(target=server.stderr.read, daemon=True).start()
        yield url
    finally:
        server.terminate()
        server.wait(200)


def access_to(moto: str) -> dict[str, str]:
    """The environment that makes a process ask the emulator."""
    return {"AWS_ENDPOINT_URL": moto, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@pytest.fixture
def aws(moto, monkeypatch):
    """(value) -> the ARN of a secret of the emulator, which this process may read."""
    urlopen(Request(f"{moto}/moto-api/reset", method="POST"), timeout=200).close()
    monkeypatch.delenv("PSEUDONYM_SECRET", raising=False)
    for name, value in access_to(moto).items():
        monkeypatch.setenv(name, value)
    client = boto3.client("secretsmanager", region_name="eu-west-1")

    def store(value: str) -> str:
        return client.create_secret(Name="pseudonyms", SecretString=value)["ARN"]

    return store


@pytest.fixture
def gcp(monkeypatch):
    """The environment that makes a process ask the stand-in."""
    SecretManager.asked.clear()
    monkeypatch.delenv("PSEUDONYM_SECRET", raising=False)
    with serving(SecretManager) as address:
        environment = access_to_secret_manager(address)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield environment


def only_workers_ask(environment: dict, spark, monkeypatch, capsys, event_log) -> None:
    """Only the workers can reach the store, so it is they who ask; nothing that they are sent holds the key."""
    for name in environment:
        monkeypatch.delenv(name)
    # what Spark puts into the workers' environment
    monkeypatch.setattr(spark.sparkContext, "environment", {**spark.sparkContext.environment, **environment})
    named = secret_id()

    def keyed(batches):
        for batch in batches:
            yield pa.record_batch([pseudonyms(batch.column(0), named)], names=["pseudonym"])

    frame = spark.createDataFrame([(CANARY,), (None,)], "value string").coalesce(1)
    frame = frame.mapInArrow(keyed, "pseudonym string")
    frame.explain(True)
    expected = hmac.new(STORED_KEY.encode(), CANARY.encode(), hashlib.sha256).hexdigest()
    assert [row[0] for row in frame.collect()] == [expected, None]
    events = b"".join(file.read_bytes() for file in event_log.rglob("*") if file.is_file())
    plan = capsys.readouterr().out
    assert "MapInArrow" in plan and b"MapInArrow" in events
    assert STORED_KEY not in plan and STORED_KEY.encode() not in events


def test_the_workers_ask_aws_for_the_key(aws, moto, spark, monkeypatch, capsys, event_log):
    monkeypatch.setenv("PSEUDONYM_SECRET_ID", aws(STORED_KEY))
    only_workers_ask(access_to(moto), spark, monkeypatch, capsys, event_log)


def test_the_workers_ask_google_for_the_key(gcp, spark, monkeypatch, capsys, event_log):
    monkeypatch.setenv("PSEUDONYM_SECRET_ID", "projects/p/secrets/pseudonyms/versions/2")
    only_workers_ask(gcp, spark, monkeypatch, capsys, event_log)


def test_a_process_asks_once_and_no_proxy(gcp, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    secret_id = "projects/p/secrets/pseudonyms/versions/2"
    assert digest(CANARY, secret_id) == digest(CANARY, secret_id) != digest(CANARY + "0", secret_id)
    assert SecretManager.asked == [
        "/computeMetadata/v1/instance/service-accounts/default/token",
        f"/v1/{secret_id}:access",
    ]


def refusal(monkeypatch, secret_id: str) -> str:
    monkeypatch.setenv("PSEUDONYM_SECRET_ID", secret_id)
    with pytest.raises(PreparationError) as refused:
        require_key()
    assert secret_id in str(refused.value)
    return str(refused.value)


def test_a_secret_of_aws_that_cannot_serve_is_named(aws, monkeypatch):
    arn = aws("short")
    assert "has 5 characters, a key needs 16 or more" in refusal(monkeypatch, arn)
    missing = arn.replace("pseudonyms", "others")
    assert "it does not exist or has no value; create it" in refusal(monkeypatch, missing)

    keys._secret.cache_clear()
    with monkeypatch.context() as nobody_there:
        nobody_there.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        nobody_there.setenv("AWS_MAX_ATTEMPTS", "1")
        assert "Could not connect to the endpoint URL" in refusal(nobody_there, arn)
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert "this Python has no boto3" in refusal(monkeypatch, arn)


class Refusing(Answering):
    """Secrets Manager as it answers a role that may not read; the emulator gives an answer of another kind."""

    def do_POST(self):
        self.answer(400, {"__type": "AccessDeniedException", "Message": "User … is not authorized"})


def test_a_secret_of_aws_that_the_role_may_not_read_is_named(aws, monkeypatch):
    arn = aws(STORED_KEY)
    with serving(Refusing) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
        assert "allow the job's role secretsmanager:GetSecretValue on it" in refusal(monkeypatch, arn)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty/versions/2", "has 0 characters, a key needs 16 or more"),
        ("other/versions/2", "it does not exist or has no such version; create it"),
        ("pseudonyms/versions/3", "it does not exist or has no such version"),
        ("forbidden/versions/2", "allow the job's service account roles/secretmanager.secretAccessor on it"),
    ],
)
def test_a_secret_of_google_that_cannot_serve_is_named(gcp, monkeypatch, name, message):
    assert message in refusal(monkeypatch, f"projects/p/secrets/{name}")


def test_a_machine_that_is_not_googles_says_so(gcp, monkeypatch):
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
    message = refusal(monkeypatch, "projects/p/secrets/pseudonyms/versions/2")
    assert "Its store is asked on a machine of Google Cloud only" in message


def test_what_is_no_reference_is_refused(monkeypatch):
    monkeypatch.delenv("PSEUDONYM_SECRET", raising=False)
    assert "write arn:aws:secretsmanager:" in refusal(monkeypatch, "pseudonyms")


def test_two_keys_are_refused(monkeypatch, key):
    monkeypatch.setenv("PSEUDONYM_SECRET", key)
    monkeypatch.setenv("PSEUDONYM_SECRET_ID", "projects/p/secrets/pseudonyms/versions/2")
    with pytest.raises(PreparationError, match="are both set; keep the one that is meant"):
        require_key()
