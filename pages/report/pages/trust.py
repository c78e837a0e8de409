"""Why the numbers can be believed: where each record went, what was rejected, what came when, how the tests ended."""

from datetime import date

from pages.report.charts import Bar, Cell, bars, grid
from pages.report.figure import Figure, Page, Shown, counted, largest_part, listed, part_of, text

TABLES = {"user_purchase": "Purchase lines", "classified_movie_review": "Reviews", "review_logs": "Logs"}
# Column of the ledger: (what it is called here, colour).
LOSSES = {
    "quarantined": ("rejected", "orange"),
    "duplicate": ("repeated", "gray"),
    "unattributable": ("no customer", "gray"),
}
DAYS_SHOWN, RUNS_SHOWN = 31, 30


def where_records_went(rows) -> Shown:
    lines = []
    for row in rows:
        whole = left = row["records_delivered"]
        lines.append(Bar(TABLES.get(row["table_name"], row["table_name"])))
        # Each table on a scale of its own: a share of what it was.
        lines.append(Bar("delivered", ((0, 1, "pale"),) if whole else (), text(whole, "count")))
        for loss, (name, color) in LOSSES.items():
            if lost := row[f"records_{loss}"]:
                lines.append(
                    Bar(name, (((left - lost) / whole, left / whole, color),), f"−{_with_share(lost, whole)}")
                )
                left -= lost
        kept = row["records_in_marts"]
        lines.append(
            Bar("in the tables", ((0, kept / whole, "blue"),) if whole else (), _with_share(kept, whole))
        )
    unbalanced = [row for row in rows if row["unbalanced_days"]]
    delivered, kept = (sum(row[f"records_{what}"] for row in rows) for what in ("delivered", "in_marts"))
    return Shown(
        sentence=f"{part_of(kept, delivered)} delivered records are in the tables for analysts. "
        + (
            "Not every record can be accounted for: "
            + listed(f"{counted(row['unbalanced_days'], 'day')} of {row['table_name']}" for row in unbalanced)
            + (" does not balance" if sum(row["unbalanced_days"] for row in unbalanced) == 1 else " do not balance")
            + "."
            if unbalanced
            else "Every other record is accounted for, and so is every penny."
        ),
        columns=[
            ("Records", "text"), ("Delivered", "count"), ("Rejected", "count"), ("Repeated", "count"),
            ("No customer", "count"), ("In the tables", "count"), ("Days that do not balance", "count"),
        ],
        rows=[
            (
                _in_full(row["table_name"]), row["records_delivered"], row["records_quarantined"], row["records_duplicate"],
                row["records_unattributable"], row["records_in_marts"], row["unbalanced_days"],
            )
            for row in rows
        ],
        chart=lambda width: bars(lines, width),
    )  # fmt: skip


def _with_share(count, whole) -> str:
    return f"{text(count, 'count')} ({text(count / whole, 'share')})" if whole else text(count, "count")


def _in_full(table: str) -> str:
    """Reviews (classified_movie_review): as people say, and as the docs have it."""
    return f"{TABLES[table]} ({table})" if table in TABLES else table


def where_money_went(rows) -> Shown:
    lines = [row for row in rows if row["table_name"] == "user_purchase"]
    whole, lost, kept = (
        sum(row[f"amount_{what}"] or 0 for row in lines) for what in ("staged", "unattributable", "in_marts")
    )
    steps = [
        ("on purchase lines", whole, "pale"),
        ("no customer", lost, "gray"),
        ("in the tables", kept, "blue"),
    ]
    return Shown(
        sentence=f"Of the net money of purchase lines, {part_of(kept, whole, 'money')} is of known customers"
        + (f", {text(lost, 'money')} nobody's." if lost else "."),
        columns=[("Net money", "text"), ("Amount", "money")],
        rows=[(name, amount) for name, amount, _ in steps],
        chart=lambda width: bars(
            [
                Bar(name, ((min(0, amount), max(0, amount), color),), text(amount, "whole money"))
                for name, amount, color in steps
            ],
            width,
        ),
    )  # fmt: skip


def rejections(rows) -> Shown:
    total = sum(row["rejected_records"] for row in rows)
    by_reason: dict[str, int] = {}
    for row in rows:
        by_reason[row["reason"]] = by_reason.get(row["reason"], 0) + row["rejected_records"]
    lines = []
    for table, name in TABLES.items():
        found = [row for row in rows if row["table_name"] == table]
        if found:
            lines.append(Bar(name))
        for row in found:
            count = row["rejected_records"]
            lines.append(Bar(row["reason"], ((0, count, "orange"),), text(count, "count")))
    return Shown(
        sentence=f"{counted(total, 'record')} could not be used. {largest_part(by_reason, 'rejections')}.",
        columns=[("Records of", "text"), ("Reason", "text"), ("Records", "count")],
        rows=[(_in_full(row["table_name"]), row["reason"], row["rejected_records"]) for row in rows],
        chart=lambda width: bars(lines, width),
    )


def deliveries(rows) -> Shown:
    days = sorted({row["insert_date"] for row in rows}, reverse=True)
    last: dict[str, date] = {}
    for row in rows:
        if row["is_delivered"]:
            last[row["table_name"]] = max(last.get(row["table_name"], row["insert_date"]), row["insert_date"])
    by_day = {(row["insert_date"], row["table_name"]): row for row in rows}
    absent = [
        f"{TABLES[table]} of {day}"
        for day in days
        for table in TABLES
        if (day, table) not in by_day or not by_day[day, table]["is_delivered"]
    ]
    late = {table for table in TABLES if last.get(table) != days[0]}

    def chart(width):
        shown = days[: max(1, min(14, (width - 110) // 48))][::-1]
        cells = []
        for number, table in enumerate(TABLES):
            for column, day in enumerate(shown):
                row = by_day.get((day, table))
                if row and row["is_delivered"]:
                    cells.append(Cell(column, number, 1, text(row["records_delivered"], "count")))
                else:
                    cells.append(Cell(column, number, "orange", "none"))
        return grid(
            cells,
            width,
            [f"{day:%Y-%m-%d}" if len(shown) * 88 <= width - 110 else f"{day:%m-%d}" for day in shown],
            list(TABLES.values()),
            height=36,
        )

    return Shown(
        sentence=f"The last day is {days[0]}. "
        + (
            f"{part_of(len(absent), len(days) * len(TABLES))} deliveries did not come: {listed(absent)}."
            if absent
            else f"All {counted(len(days) * len(TABLES), 'delivery', 'deliveries')} came."
        )
        + "".join(
            f" {TABLES[table]} last came on {last[table]}." if table in last else f" {TABLES[table]} never came."
            for table in TABLES
            if table in late
        ),
        columns=[("Day", "day"), ("Records of", "text"), ("Delivered", "text"), ("Records", "count")],
        rows=[
            (row["insert_date"], _in_full(row["table_name"]), "yes" if row["is_delivered"] else "no", row["records_delivered"])
            for row in rows
            if row["insert_date"] in days[:DAYS_SHOWN]
        ],
        chart=chart,
        legend=(("step-1", "delivered, with its records"), ("orange", "not delivered")),
    )  # fmt: skip


def test_history(rows) -> Shown:
    last = rows[0]
    kinds = {"passed": "pale", "warned": "orange", "failed": "red", "not_run": "gray"}

    def line(row):
        parts, end = [], 0
        for kind, color in kinds.items():
            parts.append((end, end + row[kind], color))
            end += row[kind]
        said = listed(f"{text(row[kind], 'count')} {kind.replace('_', ' ')}" for kind in kinds if row[kind])
        return Bar(text(row["run_started_at"], "time"), tuple(parts), said)

    failed = last["failed"]
    return Shown(
        sentence=f"In the last run with tests, {text(failed, 'count')} failed, {text(last['warned'], 'count')} warned and "
        f"{text(last['passed'], 'count')} passed.",
        columns=[
            ("Run (UTC)", "time"), ("From day", "day"), ("To day", "day"), ("Passed", "count"), ("Warned", "count"),
            ("Failed", "count"), ("Not run", "count"),
        ],
        rows=[
            (row["run_started_at"], row["from_date"] or "all", row["to_date"] or "all", *(row[kind] for kind in kinds))
            for row in rows[:RUNS_SHOWN]
        ],
        chart=lambda width: bars([line(row) for row in rows[:10]], width),
        legend=tuple((color, kind.replace("_", " ")) for kind, color in kinds.items()),
    )  # fmt: skip


def warnings(tests) -> Shown:
    found = sorted(
        (test for test in tests if test["ended"] in ("failed", "warned")),
        key=lambda test: (test["ended"], test["name"]),
    )
    failed, warned = (
        [test["name"].replace("_", " ") for test in found if test["ended"] == ended]
        for ended in ("failed", "warned")
    )
    return Shown(
        sentence=" ".join(
            f"{counted(len(names), 'test')} {ended}: {listed(names)}." for ended, names in (("failed", failed), ("warned", warned)) if names
        )
        or "No test failed or warned when it last ran.",
        columns=[
            ("Test", "text"), ("What it means, what to do", "text"), ("Rows found", "count"), ("Result", "text"), ("Table", "text"),
            ("Run (UTC)", "time"),
        ],
        rows=[
            (
                test["name"].replace("_", " "), test["description"], test["failures"], test["ended"], test["tables"],
                test["run_started_at"],
            )
            for test in found
        ],
        row_ids=tuple(f"test-{test['name']}" for test in found),
        is_open=True,
    )  # fmt: skip


PAGE = Page(
    name="trust",
    title="Trust",
    lead="Where every record went, what was rejected and why, what arrived when, and how the tests ended.",
    figures=(
        Figure(
            name="ledger",
            title="Where every record went",
            queries=("report_ledger",),
            show=where_records_went,
            definition=(
                "delivered = rejected + repeated + without a customer + in the tables, for each kind of record and day. Rejected: cannot be "
                "used, and is kept in quarantine. Repeated: its id came before. No customer: leads to no customer of the shop."
            ),
            empty="The ledger is empty: no day has been built.",
        ),
        Figure(
            name="money",
            title="Where the money went",
            queries=("report_ledger",),
            show=where_money_went,
            definition="Net money of the purchase lines that could be read; a rejected line has none that counts. It balances to the last digit, or the build fails.",
            empty="The ledger is empty: no day has been built.",
        ),
        Figure(
            name="rejections",
            title="Rejected records by reason",
            queries=("report_rejections",),
            show=rejections,
            definition="Records in quarantine, as delivered, by the reason for which they were put there.",
            empty="No record was rejected.",
        ),
        Figure(
            name="deliveries",
            title="What arrived when",
            queries=("report_deliveries",),
            show=deliveries,
            definition=(
                "Records delivered, by the day of the run that brought them in (insert_date). A file without records is "
                "delivered, with 0. Late, in the line under each title, is counted to the last day that a run was for, not to today."
            ),
            empty="The ledger is empty: no day has been built.",
        ),
        Figure(
            name="warnings",
            title="What failed or warned, and what to do",
            queries=("report_footer_tests",),
            show=warnings,
            definition=(
                "Each data test whose last result was not a pass. A failure ends the run; a warning does not, and someone has to look at it. "
                "Some of the rows are beside the figures of the tables."
            ),
            empty="No run with tests has been recorded.",
        ),
        Figure(
            name="tests",
            title="How the tests ended",
            queries=("report_test_history",),
            show=test_history,
            definition="Data tests of each run of dbt, the last run first. A warning fails no run; someone has to look at it.",
            empty="No run with tests has been recorded.",
        ),
    ),
)
