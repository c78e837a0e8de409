"""A failing task tells people: real tasks, a real SMTP dialogue, Slack's webhook and SNS on loopback."""

import email
import http.server
import importlib
import json
import logging
import re
import socketserver
import threading
from contextlib import contextmanager
from email.message import Message
from html import escape
from types import SimpleNamespace

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from moto.sns import sns_backends

from conftest import ROOT
from pipeline import alerts
from pipeline.defaults import DEFAULTS

pytestmark = pytest.mark.usefixtures("airflow_database")

CAUSE = "movie_review of 2021-01-31 has not been delivered: no {{ var.value.raw_uri }} <here>"


@contextmanager
def serving(server: socketserver.TCPServer):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    with server:
        thread.start()
        yield server.server_address[1]
        server.shutdown()


class Mailbox(socketserver.StreamRequestHandler):
    """An SMTP server that takes any mail."""

    def handle(self):
        self.reply(220)
        for line in self.rfile:
            match line[:4].upper():
                case b"DATA":
                    self.reply(354)
                    lines = iter(self.rfile.readline, b".\r\n")
                    self.server.mails.append(email.message_from_bytes(b"".join(lines)))
                    self.reply(250)
                case b"QUIT":
                    return self.reply(221)
                case _:
                    self.reply(250)

    def reply(self, code: int):
        self.wfile.write(b"%d ok\r\n" % code)


@pytest.fixture
def mails(monkeypatch) -> list[Message]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox)
    server.mails = []
    with serving(server) as port:
        extra = {"from_email": "airflow@example.com", "disable_ssl": True, "disable_tls": True}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        monkeypatch.setenv("ALERT_EMAIL", "one@example.com, two@example.com")
        yield server.mails


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, json.loads(body)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@pytest.fixture
def posts(monkeypatch) -> list[tuple[str, dict]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    server.posts = []
    with serving(server) as port:
        connection = {
            "conn_type": "slackwebhook", "schema": "http", "host": f"127.0.0.1:{port}/services", "password": "T0/B0/X0",
        }  # fmt: skip
        monkeypatch.setenv("AIRFLOW_CONN_TEAM_CHANNEL", json.dumps(connection))
        monkeypatch.setenv("ALERT_SLACK_CONNECTION", "team_channel")
        yield server.posts


@pytest.fixture
def published(monkeypatch) -> list[tuple]:
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    sns_backends[DEFAULT_ACCOUNT_ID].reset()
    topic = sns_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].create_topic("alerts")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.setenv("ALERT_SNS_TOPIC_ARN", topic.arn)
    yield topic.sent_notifications
    server.stop()


@pytest.fixture
def fail(monkeypatch, caplog):
    """Runs a task of the DAG `staging` that fails, with the alerts that the environment asks for; returns the log."""
    from airflow.sdk import dag, task

    def run(cause: str = CAUSE, dag_run=None) -> str:
        importlib.reload(alerts)

        def alert(context):
            alerts.alert_on_failure({**context, "dag_run": dag_run or context["dag_run"]})

        @dag(default_args={**DEFAULTS, "retries": 0, "on_failure_callback": alert}, schedule=None)
        def staging():
            @task
            def wait_for_movie_review():
                raise RuntimeError(cause)

            wait_for_movie_review()

        import pendulum

        with caplog.at_level(logging.ERROR):
            staging().test(logical_date=pendulum.datetime(2021, 1, 31))
        return caplog.text

    before = vars(alerts).copy()
    monkeypatch.setenv("ALERT_RUNBOOK_URL", "https://example.com/RUNBOOK.md")
    yield run
    vars(alerts).update(before)


def test_the_message_says_what_failed_of_which_day_why_and_where_to_look(fail):
    told = fail()
    assert "staging: wait_for_movie_review of 2021-01-31 failed\nRuntimeError: " + CAUSE in told
    assert "owner    data-platform\n" in told
    assert "try      1 of 1\n" in told
    assert "runbook  https://example.com/RUNBOOK.md#wait_for\n" in told
    assert re.search(r"log      http://\S+/dags/staging/runs/\S+/tasks/wait_for_movie_review", told)


def test_without_settings_the_log_alone_is_told(fail, mails, posts, published, monkeypatch):
    for name in ("ALERT_EMAIL", "ALERT_SLACK_CONNECTION", "ALERT_SNS_TOPIC_ARN"):
        monkeypatch.delenv(name)
    assert "wait_for_movie_review of 2021-01-31 failed" in fail()
    assert (mails, posts, published) == ([], [], [])


def test_one_failure_is_one_message_to_each_channel(fail, mails, posts, published):
    fail()
    subject = "staging: wait_for_movie_review of 2021-01-31 failed"
    (mail,), ((path, post),), (notification,) = mails, posts, published

    assert (mail["To"], mail["Subject"]) == ("one@example.com, two@example.com", subject)
    assert mail["From"] == "airflow@example.com"
    html = next(part for part in mail.walk() if part.get_content_type() == "text/html")
    html = html.get_payload(decode=True).decode()
    # the braces of a cause are no template, its brackets no HTML
    assert "no {{ var.value.raw_uri }} &lt;here&gt;" in html and "RUNBOOK.md#wait_for" in html

    assert path == "/services/T0/B0/X0"
    assert post["text"].startswith(f"*{subject}*\nRuntimeError: {escape(CAUSE)}\n")

    assert notification[2] == subject
    assert CAUSE in notification[1] and "RUNBOOK.md#wait_for" in notification[1]


def test_a_channel_that_is_down_is_logged_and_the_others_are_told(fail, mails, posts, published, monkeypatch):
    monkeypatch.setenv("ALERT_EMAIL", "")
    monkeypatch.setenv("ALERT_SLACK_CONNECTION", "no_such_connection")
    told = fail()
    assert len(published) == 1
    assert "no_such_connection" in told
    assert "wait_for_movie_review of 2021-01-31 failed" in told


def test_a_channel_that_cannot_even_be_set_up_is_logged_and_the_others_are_told(
    fail, posts, published, monkeypatch
):
    monkeypatch.setenv("ALERT_SNS_TOPIC_ARN", "no-arn")
    told = fail()
    assert len(posts) == 1
    assert "The alert could not be sent by sns" in told


def test_a_long_cause_is_cut(fail, posts):
    fail("x" * 10_000)
    assert len(posts[0][1]["text"]) < 2_500 and "xxx …" in posts[0][1]["text"]


def test_what_somebody_typed_as_partition_key_is_text_in_every_channel(fail, mails, posts, published):
    key = "<!channel> <https://evil.example|click> {{ 7 * 7 }}\nBcc: all@example.com\r\n\r\nbody"
    # as Airflow makes the id of a run
    fail(dag_run=SimpleNamespace(partition_key=key, logical_date=None, run_id=f"manual__2021__{key}"))
    line = " ".join(key.split())
    subject = f"staging: wait_for_movie_review of manual__2021__{line} failed"
    (mail,), ((_, post),), (notification,) = mails, posts, published
    assert (mail["Subject"], mail["Bcc"]) == (subject, None)
    assert post["text"].startswith(f"*{escape(subject)}*\n")
    assert notification[2] == subject[:100]


def test_a_task_whose_process_is_gone_has_no_cause(dags):
    task = dags["staging"].get_task("parse_logs")
    ti = SimpleNamespace(
        dag_id="staging", task_id="parse_logs", map_index=-1, try_number=3, max_tries=2, log_url=""
    )
    context = {"ti": ti, "task": task, "dag_run": SimpleNamespace(partition_key="2021-01-31")}
    subject, text = alerts.message_of(context)
    assert subject == "staging: parse_logs of 2021-01-31 failed"
    assert text.startswith("no cause is known") and "try      3 of 3\n" in text
    context["dag_run"] = SimpleNamespace(
        partition_key=None, logical_date=None, run_id="manual__2021-01-31T12:00"
    )
    subject, _ = alerts.message_of(context)
    assert subject == "staging: parse_logs of manual__2021-01-31T12:00 failed"


def test_every_task_has_a_section_in_the_runbook(dags):
    sections = {
        heading.lower().replace("`", "").replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", (ROOT / "airflow/RUNBOOK.md").read_text(), re.MULTILINE)
    }
    # those of the runtimes that this Airflow does not render
    others = ["start_spark_cluster", "stop_spark_cluster", "plan", "approve", "apply"]
    tasks = {task_id for dag in dags.values() for task_id in dag.task_ids} | set(others)
    assert len(tasks) > 40
    assert {task for task in tasks if alerts.runbook_section(task) not in sections} == set()
