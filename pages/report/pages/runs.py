"""What runs cost: seconds, and bytes if the warehouse reports them; and the days that were not built."""

from pages.report.charts import Bar, bars
from pages.report.figure import Figure, Page, Shown, counted, largest_part, listed, text

RUNS_SHOWN, MODELS_SHOWN = 30, 15


def time_of_runs(rows) -> Shown:
    last = rows[0]
    kinds = {"table_seconds": "blue", "test_seconds": "pale"}
    read = f", {text(last['bytes_processed'], 'bytes')} read" if last["bytes_processed"] is not None else ""

    def line(row):
        tables, tests = (float(row[kind]) for kind in kinds)
        parts = ((0, tables, "blue"), (tables, tables + tests, "pale"))
        return Bar(text(row["run_started_at"], "time"), parts, text(tables + tests, "seconds"))

    return Shown(
        sentence=f"In the last run {counted(last['tables_built'], 'table')} took {text(last['table_seconds'], 'seconds')} and "
        f"{counted(last['tests_run'], 'test')} {text(last['test_seconds'], 'seconds')}, added up{read}. Several ran at a time: the clock showed less.",
        columns=[
            ("Run (UTC)", "time"), ("From day", "day"), ("To day", "day"), ("Tables", "count"), ("Time", "seconds"),
            ("Tests", "count"), ("Time of tests", "seconds"), ("Bytes read", "bytes"),
        ],
        rows=[
            (
                row["run_started_at"], row["from_date"] or "all", row["to_date"] or "all", row["tables_built"],
                row["table_seconds"], row["tests_run"], row["test_seconds"], row["bytes_processed"],
            )
            for row in rows[:RUNS_SHOWN]
        ],
        chart=lambda width: bars([line(row) for row in rows[:10]], width),
        legend=(("blue", "tables"), ("pale", "tests")),
    )  # fmt: skip


def time_of_models(rows) -> Shown:
    last = [row for row in rows if row["last_seconds"] is not None]
    longest = max((row["last_seconds"] for row in last), default=None)
    slowest = [row["node_name"] for row in last if row["last_seconds"] == longest]
    return Shown(
        sentence=f"The longest time of a table in its last run: {listed(slowest)}, {text(longest, 'seconds')}.",
        columns=[
            ("Table", "text"), ("Kind", "text"), ("Last run (UTC)", "time"), ("Status", "text"), ("Time", "seconds"),
            ("Mean time", "seconds"), ("Runs", "count"), ("Rows written", "count"), ("Bytes read", "bytes"),
        ],
        rows=[
            (
                row["node_name"], row["resource_type"], row["last_run_at"], row["last_status"], row["last_seconds"],
                row["mean_seconds"], row["run_count"], row["last_rows_affected"], row["last_bytes_processed"],
            )
            for row in rows
        ],
        chart=lambda width: bars(
            [
                Bar(row["node_name"], ((0, row["last_seconds"], "blue"),), text(row["last_seconds"], "seconds"))
                for row in rows[:MODELS_SHOWN]
            ],
            width,
        ),
    )  # fmt: skip


def bytes_of_models(rows) -> Shown:
    told = sorted(
        (row for row in rows if row["last_bytes_processed"] is not None),
        key=lambda row: (-row["last_bytes_processed"], row["node_name"]),
    )
    if not told:
        return Shown(
            "No bytes were recorded: BigQuery reports them, DuckDB if its profile logs them.", [], []
        )
    return Shown(
        sentence=f"{largest_part({row['node_name']: row['last_bytes_processed'] for row in told}, 'bytes read in the last runs', 'bytes')}.",
        columns=[("Table", "text"), ("Bytes read", "bytes")],
        rows=[(row["node_name"], row["last_bytes_processed"]) for row in told],
        chart=lambda width: bars(
            [
                Bar(
                    row["node_name"],
                    ((0, row["last_bytes_processed"], "blue"),),
                    text(row["last_bytes_processed"], "bytes"),
                )
                for row in told[:MODELS_SHOWN]
            ],
            width,
        ),
    )


def missing_days(rows) -> Shown:
    return Shown(
        sentence=f"{counted(len(rows), 'day is', 'days are')} missing between the first and the last: "
        f"{listed(str(row['insert_date']) for row in rows)}.",
        columns=[("Day", "day"), ("What is missing", "text")],
        rows=[(row["insert_date"], row["what_is_missing"]) for row in rows],
    )


EMPTY = "No run of dbt has been recorded."
PAGE = Page(
    name="runs",
    title="Runs",
    lead="What a run costs: time, and bytes if the warehouse reports them.",
    figures=(
        Figure(
            name="runs",
            title="Time of each run",
            queries=("report_runs",),
            show=time_of_runs,
            definition="The seconds of all tables and tests of a run, added up.",
            empty=EMPTY,
        ),
        Figure(
            name="missing",
            title="Days that are missing",
            queries=("report_days_missing",),
            show=missing_days,
            definition="Days that were never staged, or of which no build of all tables has ended well. Days after the last are not known here: Airflow's DAG reconciliation knows "
            "them, and compares what is staged with what was built.",
            empty="No day between the first and the last is missing.",
        ),
        Figure(
            name="models",
            title="Time of each table",
            queries=("report_model_times",),
            show=time_of_models,
            definition="Models, seeds and snapshots in their last run, the slowest first; the table has all of them.",
            empty=EMPTY,
        ),
        Figure(
            name="bytes",
            title="Bytes that each table reads",
            queries=("report_model_times",),
            show=bytes_of_models,
            definition="Bytes that the last run of each table read, as the warehouse reports them.",
            empty=EMPTY,
        ),
    ),
)
