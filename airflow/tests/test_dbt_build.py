"""Which failures of a build are tried again, and what people are told about them. (On a running Airflow: test_operator.)"""

import json
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from pipeline.dbt_build import MAY_PASS, Producer

TEST = "test.movie_analytics.ledger_does_not_balance.0a1b"
MODEL = "model.movie_analytics.int_log"


def failed(node: str, status: str, message: str) -> str:
    """dbt's line about a node, as `--log-format json` prints it at the end of the run."""
    info = {"unique_id": node, "node_status": status}
    return json.dumps({"info": {"name": "RunResultError"}, "data": {"msg": message, "node_info": info}})


def cause_of(*lines: str, monkeypatch) -> AirflowException:
    about = {TEST: "Records or money were lost."}
    monkeypatch.setattr("pipeline.dbt_build.descriptions", lambda nodes: about)
    producer = Producer()
    producer._failures, producer._is_final = {}, False
    for line in lines:
        producer._note_failure(line)
    return producer._cause(AirflowException("The command returned a non-zero exit code 1."))


LOST = failed(
    MODEL, "error", "Runtime Error in model int_log\n  could not connect to server: Connection refused"
)


def test_a_failed_test_fails_at_once_and_says_which_how_many_and_what_it_means(monkeypatch):
    cause = cause_of(
        failed(TEST, "fail", "Got 1 result, configured to fail if != 0"), monkeypatch=monkeypatch
    )
    assert isinstance(cause, AirflowFailException)
    assert str(cause) == (
        "ledger_does_not_balance: Got 1 result, configured to fail if != 0. Records or money were lost."
    )


def test_a_lost_connection_is_tried_again_unless_something_else_failed_too(monkeypatch):
    cause = cause_of(LOST, monkeypatch=monkeypatch)
    assert not isinstance(cause, AirflowFailException)
    assert "int_log: Runtime Error in model int_log could not connect to server" in str(cause)
    both = cause_of(LOST, failed(TEST, "fail", "Got 1 result"), monkeypatch=monkeypatch)
    assert isinstance(both, AirflowFailException)


def test_what_a_test_found_is_not_tried_again_however_many_rows_it_is(monkeypatch):
    """Their number is in dbt's message, and may be one that a server answers when it is busy."""
    cause = cause_of(
        failed(TEST, "fail", "Got 500 results, configured to fail if != 0"), monkeypatch=monkeypatch
    )
    assert isinstance(cause, AirflowFailException)
    # and a warehouse that was busy when the test was to be asked
    busy = cause_of(failed(TEST, "error", "503 Service Unavailable"), monkeypatch=monkeypatch)
    assert type(busy) is AirflowException


def test_a_killed_process_is_tried_again_and_lines_that_are_no_failures_do_not_count(monkeypatch):
    lines = (
        "no JSON",
        "{}",
        '{"info": {"name": "PrintEvent"}, "data": {}}',
        failed(TEST, "warn", "Got 1 result"),
    )
    cause = cause_of(*lines, monkeypatch=monkeypatch)
    assert str(cause) == "The command returned a non-zero exit code 1." and type(cause) is AirflowException


@pytest.mark.parametrize(
    ("message", "may_pass"),
    [
        ('IO Error: Could not set lock on file "/w.duckdb": Conflicting lock is held in PID 7', True),
        ("server closed the connection unexpectedly", True),
        ("terminating connection due to administrator command", True),
        ("1023 (Serializable isolation violation on table)", True),
        ("503 Service Unavailable", True),
        ("Got 1500 rows of 3", False),
        ('relation "int_log" does not exist', False),
        ("Query exceeded limit for bytes billed: 10000000000", False),
        ("This model has an enforced contract that failed", False),
        ("Conversion Error: Could not convert string 'x' to INT32", False),
    ],
)
def test_what_may_pass(message, may_pass):
    assert bool(MAY_PASS.search(message)) is may_pass


@pytest.mark.parametrize("state_at_last", ["running", "success"])
def test_a_model_that_is_built_is_not_built_again_because_the_build_ends_meanwhile(
    dags, monkeypatch, state_at_last
):
    """Cosmos looks at the build's state a second time; of a cleared task, which is at its second try, it would build the model."""
    task = dags["analytics"].get_task("dbt.int_log.run")
    states = iter(["running", state_at_last])
    monkeypatch.setattr(task, "_get_producer_task_status", lambda context: next(states))
    monkeypatch.setattr(
        task, "_fallback_to_non_watcher_run", lambda *arguments, **named: pytest.fail("builds again")
    )
    xcoms = {f"{task.model_unique_id.replace('.', '__')}_status": {"status": "success", "outlet_uris": []}}
    task_instance = SimpleNamespace(
        try_number=2, xcom_pull=lambda task_ids=None, key=None, **_: xcoms.get(key)
    )
    assert task.poke({"ti": task_instance, "dag_run": SimpleNamespace(clear_number=1)})
    assert next(states, None) is None
