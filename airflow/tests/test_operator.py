"""What an operator does to a day, and what happens to one, on a running `make airflow`: the marts end right, or the day says plainly that
they are not.

The tests follow each other on the Airflow of test_scheduler. With `--long` (`make test-airflow-long`) they do more of the same: fifty
pairs of events, a model in the middle with all that follows it, a backfill of ten days.
"""

import os
import signal
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from live import (
    Airflow,
    assert_right_marts,
    day_of,
    days_of,
    descendants,
    jobs_python,
    pids,
    process_with,
    query,
    runbook_blocks,
    wait_until,
)

pytestmark = [pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PRODUCER = "dbt.dbt_producer_watcher"


def builds(airflow: Airflow) -> int:
    """How many processes of dbt have built something."""
    return query(airflow, "select count(distinct invocation_id) from analytics_audit.run_result")[0][0]


def states(airflow: Airflow, dag_id: str, run: str) -> dict[str, str]:
    return {task["task_id"]: task["state"] for task in airflow.tasks(dag_id, run)}


def missing(airflow: Airflow) -> list[str]:
    """What the reconciliation finds."""
    run = airflow.dag("reconciliation", "/dagRuns", "POST", logical_date=None)["dag_run_id"]
    airflow.wait_for_task("reconciliation", run, "report_missing", "success", "failed")
    return airflow.run("reconciliation", run, "/taskInstances/find_missing/xcomEntries/lines")["value"]


@pytest.fixture(scope="module")
def day(airflow, runs) -> str:
    return days_of(airflow.folder)[1]


@pytest.fixture
def broken_logs(airflow, day):
    """Half of what is in the day's log files cannot be read, until the test is over."""
    files = list(airflow.folder.glob(f"raw/log_reviews/insert_date={day}/*.csv"))
    kept = {file: file.read_text() for file in files}
    for file, text in kept.items():
        lines = text.splitlines()
        half = len(lines) // 2
        broken = [line.replace("<log>", "<lgo>") for line in lines[half:]]
        file.write_text("\n".join(lines[:half] + broken) + "\n")
    yield
    for file, text in kept.items():
        file.write_text(text)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("FROM={last}", "TO={first}"), "FROM={last} is after TO={first}"),
        (("FROM=2020-01-01", "TO=2020-01-02"), "2020-01-01 is before START_DATE, {first}"),
        (("FROM={first}", "TO=2999-01-01"), "2999-01-01 has not ended yet"),
        (("FROM={first}", "TO=tomorrow"), "'tomorrow' is no day"),
        (("FROM={first}",), "say which days: make backfill FROM=YYYY-MM-DD TO=YYYY-MM-DD"),
    ],
)
def test_a_backfill_of_no_days_is_refused(airflow, runs, words, error):
    first, last = days_of(airflow.folder)
    said = airflow.make("backfill", *(word.format(first=first, last=last) for word in words), is_refused=True)
    assert error.format(first=first, last=last) in said


def test_a_refused_check_asks_a_person_and_no_mark_passes_it(airflow, day, broken_logs):
    """Of a backfill of one day, which makes that day. Only an acceptance with a reason lets it pass; name and reason are in the warehouse."""
    before = airflow.runs("analytics")
    assert airflow.make("backfill", f"FROM={day}", f"TO={day}").splitlines()[0] == day
    assert (
        airflow.call("GET", "/api/v2/backfills?dag_id=staging&order_by=-id")["backfills"][0][
            "max_active_runs"
        ]
        == 1
    )
    run = airflow.run_of("staging", day, "backfill")
    airflow.wait_for_task("staging", run, "check_review_logs", "awaiting_input")
    log = airflow.log_of("staging", run, "check_review_logs")
    assert "check_review_logs of" in log and "of the records were rejected" in log
    asked = airflow.run("staging", run, "/taskInstances/check_review_logs/-1/hitlDetails")
    assert "of the records were rejected" in asked["body"]

    # "Mark as success": the release looks again
    airflow.run("staging", run, "/taskInstances/check_review_logs", "PATCH", new_state="success")
    released = airflow.wait_for_task("staging", run, "release_day", "success", "failed")
    assert (released["state"], released["try_number"]) == ("failed", 1)
    assert "Nobody has accepted run" in airflow.log_of("staging", run, "release_day")
    assert len(airflow.runs("analytics")) == len(before)

    airflow.clear("staging", run, "check_review_logs")
    airflow.wait_for_task("staging", run, "check_review_logs", "awaiting_input")
    # a person takes longer; a task that resumes at once can be marked as failed by Airflow 3.3 (apache/airflow#71580)
    time.sleep(10)
    airflow.run(
        "staging", run, "/taskInstances/check_review_logs/-1/hitlDetails", "PATCH",
        chosen_options=["Accept"], params_input={"reason": "the vendor's file is what it is"},
    )  # fmt: skip
    airflow.wait_for_success("staging", run)
    airflow.wait_for_build(day, before)
    accepted = "select table_name, accepted_by, accepted_because from analytics_audit.day_built where accepted_by is not null"
    assert query(airflow, accepted) == [["review_logs", "admin", "the vendor's file is what it is"]]


def test_a_day_staged_while_analytics_was_paused_is_found_and_built(airflow, day):
    """Its event is dropped. The file is whole again, and so are the marts."""
    airflow.wait_until_settled()
    airflow.dag("analytics", method="PATCH", is_paused=True)
    before = airflow.runs("analytics")
    airflow.wait_for_success("staging", airflow.rerun(day))
    airflow.dag("analytics", method="PATCH", is_paused=False)
    time.sleep(5)
    assert len(airflow.runs("analytics")) == len(before)
    (line,) = missing(airflow)
    assert line.startswith("1 day is staged but not built") and line.endswith(day)
    airflow.wait_for_build(day, before)
    airflow.wait_until_settled()
    assert missing(airflow) == []
    assert_right_marts(airflow.folder)


def test_airflow_says_that_it_is_alive_and_tells_its_metrics_to_a_collector(airflow, runs):
    run = airflow.dag("heartbeat", "/dagRuns", "POST", logical_date=None)["dag_run_id"]
    airflow.wait_for_success("heartbeat", run)
    assert airflow.receiver.pings > 0
    wait_until(lambda: "airflow.scheduler_heartbeat" in airflow.receiver.metrics)


def test_a_refused_file_is_heard_of_at_once(airflow, runs):
    """Another try cannot help: one try, and its message in the alert."""
    file = airflow.folder / "raw/user_purchase/user_purchase.csv"
    cut = airflow.folder / "raw/user_purchase/cut.csv"
    cut.write_text(file.read_text()[:5000] + '"cut off\n')
    run = airflow.dag(
        "user_purchase_load", "/dagRuns", "POST", logical_date=None, conf={"file": "user_purchase/cut.csv"}
    )["dag_run_id"]
    failed = airflow.wait_for_task("user_purchase_load", run, "load_user_purchase", "failed", "up_for_retry")
    assert (failed["state"], failed["try_number"]) == ("failed", 1)
    log = airflow.log_of("user_purchase_load", run, "load_user_purchase")
    assert "load_user_purchase of" in log and "cut.csv line" in log


def test_two_events_at_once_make_a_run_each_time(airflow, runs, is_long):
    """Of two releases of a day at the same moment. (apache/airflow#71070 is about several assets.)"""
    (asset,) = [a for a in airflow.call("GET", "/api/v2/assets")["assets"] if a["name"] == "staged"]
    keys = [f"2001-{1 + n // 25:02}-{1 + n % 25:02}" for n in range(50 if is_long else 8)]
    with ThreadPoolExecutor(2) as pool:
        for key in keys:
            list(
                pool.map(
                    lambda key: airflow.call(
                        "POST", "/api/v2/assets/events", asset_id=asset["id"], partition_key=key
                    ),
                    [key] * 2,
                )
            )
    made = wait_until(
        lambda: (
            {r["partition_key"] for r in airflow.runs("analytics")} >= set(keys) and airflow.runs("analytics")
        )
    )
    pending = airflow.call("GET", "/ui/partitioned_dag_runs?dag_id=analytics&has_created_dag_run_id=false")
    assert pending["total"] == 0, pending
    # none of these days is staged: each says so at once
    failed = next(run["dag_run_id"] for run in made if run["partition_key"] in keys)
    task = airflow.wait_for_task("analytics", failed, "confirm_staged", "failed", "success", "up_for_retry")
    assert (task["state"], task["try_number"]) == ("failed", 1)
    assert "has not been released" in airflow.log_of("analytics", failed, "confirm_staged")
    airflow.wait_until_settled()
    for run in airflow.runs("analytics"):
        if run["partition_key"] in keys:
            airflow.run("analytics", run["dag_run_id"], method="DELETE")


@pytest.mark.long
def test_a_check_cleared_while_a_late_file_is_waited_for_starts_no_build_that_stays(airflow, day):
    """The event of the cleared check's release comes before the file does; when the file is staged the day is built again."""
    finished = airflow.rerun(day)
    before = airflow.runs("analytics")
    airflow.wait_for_success("staging", finished)
    airflow.wait_for_build(day, before)
    folder = airflow.folder / f"raw/log_reviews/insert_date={day}"
    withheld = folder.rename(airflow.folder / "withheld_logs")
    before = airflow.runs("analytics")
    late = airflow.rerun(day)
    airflow.wait_for_task("staging", late, "wait_for_log_reviews", "deferred")
    # of the finished run; the late one holds the only slot of `staging`
    airflow.clear("staging", finished, "check_review_logs")
    withheld.rename(folder)
    airflow.wait_for_success("staging", late)
    airflow.wait_for_success("staging", finished)
    airflow.wait_for_build(day, before)
    airflow.wait_until_settled()
    assert_right_marts(airflow.folder)
    assert missing(airflow) == []


def test_a_killed_build_is_taken_up_again_by_clearing_one_task(airflow, day):
    """And clearing the build of a green run builds: it is that one which is killed."""
    run, before = latest_build(airflow, day), builds(airflow)
    airflow.clear("analytics", run, PRODUCER)
    os.kill(dbt_in_mid_build(airflow), signal.SIGKILL)
    # left alone, it builds again in a minute or two
    airflow.wait_for_task("analytics", run, PRODUCER, "up_for_retry")
    airflow.clear("analytics", run, "confirm_staged")
    airflow.wait_for_success("analytics", run)
    assert set(states(airflow, "analytics", run).values()) == {"success"}
    # one dbt, not one for each model
    assert builds(airflow) == before + 1
    assert_right_marts(airflow.folder)


def dbt_in_mid_build(airflow: Airflow) -> int:
    """Its process, as soon as it has written something."""
    dbt = wait_until(lambda: process_with(airflow.process.pid, "/dbt", "build"))
    wait_until((airflow.folder / "warehouse.duckdb.wal").exists)
    return dbt


def latest_build(airflow: Airflow, day: str) -> str:
    return [
        r["dag_run_id"] for r in airflow.runs("analytics") if day_of(r) == day and r["state"] == "success"
    ][-1]


@pytest.mark.long
def test_a_killed_build_that_is_left_alone_builds_again(airflow, day):
    run, before = latest_build(airflow, day), builds(airflow)
    airflow.clear("analytics", run, "confirm_staged")
    os.kill(dbt_in_mid_build(airflow), signal.SIGKILL)
    airflow.wait_for_task("analytics", run, PRODUCER, "up_for_retry")
    airflow.wait_for_success("analytics", run)
    assert builds(airflow) == before + 1
    assert_right_marts(airflow.folder)


def test_models_that_are_cleared_side_by_side_queue_for_the_file(airflow, day, is_long):
    run = latest_build(airflow, day)
    if is_long:
        airflow.clear("analytics", run, "dbt.int_attributed_review.run")
    else:
        models = [f"dbt.{model}.run" for model in ("dim_browser", "dim_devices", "dim_os")]
        airflow.clear("analytics", run, *models, has_what_follows=False)
    before = {task["task_id"]: task["try_number"] for task in airflow.tasks("analytics", run)}
    airflow.wait_for_success("analytics", run)
    tries = {
        task["task_id"]: task["try_number"] - before[task["task_id"]]
        for task in airflow.tasks("analytics", run)
    }
    assert set(tries.values()) <= {0, 1}, tries
    assert_right_marts(airflow.folder)


def end_what_was_started(airflow: Airflow, before: dict[str, set[str]]) -> None:
    """Of the DAGs, runs that are not in `before` go, and those that were cleared are as if they had run."""
    for dag, known in before.items():
        for run in airflow.runs(dag):
            if run["state"] in ("queued", "running"):
                if run["dag_run_id"] in known:
                    airflow.run(dag, run["dag_run_id"], method="PATCH", state="success")
                else:
                    airflow.run(dag, run["dag_run_id"], method="DELETE")


def test_every_command_of_the_runbook_does_what_it_says(airflow, day, is_long):
    """The runs that they start or clear go on in the long form only, to the right marts."""
    first, *others = dict.fromkeys(textwrap.dedent(block) for block in runbook_blocks("sh"))
    assert len(others) > 15
    dags = ("staging", "analytics", "reconciliation", "verification")
    airflow.wait_until_settled()
    before = {dag: {run["dag_run_id"] for run in airflow.runs(dag)} for dag in dags}
    for dag in dags:
        airflow.dag(dag, method="PATCH", is_paused=not is_long)
    try:
        # what starts the DAGs again, last
        for block in sorted(others, key=lambda block: "is_paused" in block):
            if is_long:
                airflow.wait_until_settled()
            else:
                end_what_was_started(airflow, before)
            airflow.shell(first + block.replace("make ", "make --assume-old .venv/synced "), DAY=day)
    finally:
        for dag in dags:
            airflow.dag(dag, method="PATCH", is_paused=False)
    airflow.wait_until_settled()
    if is_long:
        assert missing(airflow) == []
        assert_right_marts(airflow.folder)


def test_every_query_of_the_runbook_has_an_answer(airflow, day):
    queries = runbook_blocks("sql")
    assert len(queries) == 3
    for sql in queries:
        assert query(airflow, sql.replace("2021-01-31", day)), sql


@pytest.fixture(scope="module")
def ten_days(tmp_path_factory, stack):
    """An Airflow of its own, with the feeds of ten days."""
    folder = tmp_path_factory.mktemp("ten_days")
    deliver = "import pathlib, sys; from demo import airflow; airflow.SAMPLE_DAYS = 10\n"
    jobs_python("-c", f"{deliver}airflow.deliver(pathlib.Path(sys.argv[1]))", folder)
    airflow = Airflow(folder, stack)
    yield airflow
    airflow.stop()


@pytest.mark.long
@pytest.mark.timeout(12_000)  # eleven builds, of two minutes each on two cores
def test_a_backfill_of_ten_days_gives_the_right_marts(ten_days):
    days = days_of(ten_days.folder)
    # which starts automatically, and could not be made again as long as it runs
    ten_days.wait_for_success("staging", ten_days.run_of("staging", days[-1], "scheduled"))
    assert ten_days.make("backfill", f"FROM={days[0]}", f"TO={days[-1]}").splitlines()[:10] == days
    # the sample's third day has no logs file, and will not have one
    without_logs = ten_days.run_of("staging", days[2], "backfill")
    ten_days.wait_for_task("staging", without_logs, "wait_for_log_reviews", "deferred")
    ten_days.run("staging", without_logs, "/taskInstances/wait_for_log_reviews", "PATCH", new_state="success")
    wait_until(
        lambda: (
            {run["partition_key"] for run in ten_days.runs("analytics") if run["state"] == "success"}
            >= set(days)
        )
    )
    ten_days.wait_until_settled()
    assert missing(ten_days) == []
    assert_right_marts(ten_days.folder)


@pytest.mark.long
def test_the_days_of_a_pause_are_found_and_built(ten_days):
    """Three of them, of which the events are dropped."""
    days = days_of(ten_days.folder)[-3:]
    ten_days.dag("analytics", method="PATCH", is_paused=True)
    before = ten_days.runs("analytics")
    for day in days:
        ten_days.wait_for_success("staging", ten_days.rerun(day))
    ten_days.dag("analytics", method="PATCH", is_paused=False)
    (line,) = missing(ten_days)
    assert line.startswith("3 days are staged but not built") and line.endswith(", ".join(days))
    for day in days:
        ten_days.wait_for_build(day, before)
    ten_days.wait_until_settled()
    assert missing(ten_days) == []
    assert_right_marts(ten_days.folder)


def test_ctrl_c_leaves_nothing_behind_and_the_next_start_goes_on(airflow, day, is_long):
    """In the midst of a job, and in the long form of a build."""
    password, runs = airflow.password, [run["dag_run_id"] for run in airflow.runs("analytics")]
    if is_long:
        run = latest_build(airflow, day)
        airflow.clear("analytics", run, "confirm_staged")
        process = dbt_in_mid_build(airflow)
    else:
        run = airflow.rerun(day)
        process = airflow.wait_for_spark("classify_reviews")
    started = descendants(airflow.process.pid)
    assert process in started and len(started) > 20
    airflow.stop()
    assert started & set(pids()) == set()

    airflow.start()
    assert [run["dag_run_id"] for run in airflow.runs("analytics")] == runs
    assert airflow.password == password
    if is_long:
        airflow.clear("analytics", run, "confirm_staged")
        airflow.wait_for_success("analytics", run)
    else:
        airflow.wait_for_success("staging", run)
    airflow.wait_until_settled()
    assert_right_marts(airflow.folder)
