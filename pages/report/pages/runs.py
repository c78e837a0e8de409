"""What the building costs: seconds, and bytes where the warehouse tells them; and the days that were not built."""

from pages.report.charts import Bar, bars
from pages.report.figure import Figure, Page, Shown, text

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
        sentence=f"The last run took {text(last['table_seconds'], 'seconds')} for {text(last['tables_built'], 'count')} tables "
        f"and {text(last['test_seconds'], 'seconds')} for {text(last['tests_run'], 'count')} tests{read}.",
        columns=[
            ("Run (UTC)", "time"), ("From day", "text"), ("To day", "text"), ("Tables", "count"), ("Time", "seconds"),
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
    slowest = rows[0]
    return Shown(
        sentence=f"The slowest is {slowest['node_name']}: {text(slowest['last_seconds'], 'seconds')} in its last run.",
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
            "This warehouse does not tell how many bytes a query reads. BigQuery and DuckDB do.", [], []
        )
    return Shown(
        sentence=f"The last runs read {text(sum(row['last_bytes_processed'] for row in told), 'bytes')}, most of them for "
        f"{told[0]['node_name']}.",
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
        sentence=f"{text(len(rows), 'count')} {'day is' if len(rows) == 1 else 'days are'} missing between the first and the last.",
        columns=[("Day", "text"), ("What is missing", "text")],
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
            definition="The seconds of all tables and tests of a run added up. Several are built at a time: the clock shows less.",
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
