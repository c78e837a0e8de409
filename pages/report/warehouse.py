"""What the warehouse of DBT_TARGET answers to the analyses of the dbt project, and what dbt knows about its tables.

One process of dbt compiles and asks them all (`dbt show`), so whatever dbt can log in to can be read here.
"""

import json
import os
import sys
from contextlib import chdir
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from dbt.cli.main import dbtRunner

from pages.report.card import Card, read_card

FOOTERS = ("report_footer_tables", "report_footer_tests", "report_footer_failing_rows")
PROJECT = Path(__file__).parents[2] / "dbt_project"


@dataclass
class TestState:
    """How the data tests of some tables, and of all that they are made from, ended when each last ran: their names, by status; and, by name, some of the rows that
    they found."""

    names: dict[str, list[str]]
    rows: dict[str, list[str]] = field(default_factory=dict)
    last_run: object = None


@dataclass
class Warehouse:
    answers: dict[str, list[dict]]
    manifest: dict
    # What was asked, by the analysis' name, as this warehouse reads it.
    queries: dict[str, str] = field(default_factory=dict)
    # of the model that MODEL_URI names, or None and why there is none
    card: Card | None = None
    no_card: str = ""
    # of each table that there is: its rows, and the last day that it tells of
    tables: dict[str, dict] = field(init=False)
    tests: dict[str, dict] = field(init=False)
    # of each table asked for so far, since every figure asks
    _made_from: dict[str, frozenset[str]] = field(init=False, default_factory=dict)

    def __post_init__(self):
        self.tables = {row["unique_id"]: row for row in self.answers["report_footer_tables"]}
        # A test that the project no longer has tells nothing, so it is left out.
        self.answers["report_footer_tests"] = [
            {**row, **self._about_test(row)}
            for row in self.answers["report_footer_tests"]
            if row["unique_id"] in self.manifest["nodes"]
        ]
        self.tests = {row["unique_id"]: row for row in self.answers["report_footer_tests"]}

    def _about_test(self, row) -> dict:
        """What the project says of a test, beside how it ended."""
        node = self.manifest["nodes"][row["unique_id"]]
        return {
            "ended": _told(row["status"]),
            "name": node["name"],
            "tables": ", ".join(sorted(table.split(".")[-1] for table in _tested(node))),
            "description": " ".join(node["description"].split()),
        }

    @property
    def last_run(self):
        """When dbt last ran a test or built a table (UTC), as far as it was recorded."""
        rows = [*self.answers["report_footer_tests"], *self.answers.get("report_runs", ())]
        return max((row["run_started_at"] for row in rows if row["run_started_at"]), default=None)

    @property
    def last_day_asked(self) -> date | None:
        """The last day of the last run of dbt that was for some days, as far as it was recorded; a run of everything staged names none.
        Not the latest day of all runs: one that was mistyped would count for good."""
        runs = [row for row in self.answers.get("report_runs", ()) if row["to_date"]]
        return max(runs, key=lambda row: row["run_started_at"])["to_date"] if runs else None

    @property
    def currency(self) -> str:
        """In words, of the project's variable."""
        project = self.manifest["metadata"]["project_name"]
        return self.manifest["exposures"][f"exposure.{project}.report_customers"]["config"]["meta"][
            "currency"
        ]

    def tables_behind(self, queries) -> list[dict]:
        """The nodes that the queries refer to, in order of their names."""
        analyses = {
            node["name"]: node
            for node in self.manifest["nodes"].values()
            if node["resource_type"] == "analysis"
        }
        known = {**self.manifest["nodes"], **self.manifest["sources"]}
        ids = {table for query in queries for table in analyses[query]["depends_on"]["nodes"]}
        return sorted((known[table] for table in ids), key=lambda node: node["name"])

    def missing_tables(self, queries) -> list[str]:
        """The marts and sources behind the queries that the warehouse does not have."""
        return [
            table["name"] for table in self.tables_behind(queries) if table["unique_id"] not in self.tables
        ]

    def made_from(self, table: str) -> frozenset[str]:
        """The ids of the table and of all that it is made from: models, seeds, snapshots and sources."""
        if table not in self._made_from:
            parents = self.manifest["nodes"].get(table, {}).get("depends_on", {}).get("nodes", ())
            self._made_from[table] = frozenset({table}).union(*map(self.made_from, parents))
        return self._made_from[table]

    def test_state(self, tables) -> TestState:
        """Of the tests of the tables and of all that they are made from: what is wrong there is wrong in them."""
        ids = frozenset().union(*(self.made_from(table["unique_id"]) for table in tables))
        state, times = TestState({status: [] for status in ("passed", "warned", "failed", "not run")}), []
        for node in self.manifest["nodes"].values():
            if node["resource_type"] == "test" and ids & set(_tested(node)):
                result = self.tests.get(node["unique_id"], {"ended": "not run", "run_started_at": None})
                state.names[result["ended"]].append(node["name"])
                times.append(result["run_started_at"])
                state.rows[node["name"]] = [
                    _row(row)
                    for row in self.answers["report_footer_failing_rows"]
                    if (row["unique_id"], row["run_started_at"])
                    == (node["unique_id"], result["run_started_at"])
                ]
        state.last_run = max(filter(None, times), default=None)
        return state


def ask(target: Path) -> Warehouse:
    """Asks everything that can be asked; dbt leaves its manifest in `target`. Ends the program if nothing can be reported."""
    target.mkdir(parents=True, exist_ok=True)
    target = target.resolve()
    with chdir(PROJECT):
        parsed = _dbt(dbtRunner(), "parse", target)
        dbt = dbtRunner(manifest=parsed)
        footers = _dbt(dbt, "show", target, "--select", *FOOTERS)
        manifest = json.loads((target / "manifest.json").read_text())
        warehouse = Warehouse(_answers(footers), manifest)
        warehouse.card, warehouse.no_card = read_card(os.environ.get("MODEL_URI", "").strip())
        if not warehouse.tables.keys() & manifest["nodes"].keys():
            sys.exit("error: the warehouse has none of the marts: run make run first (or make demo).")
        # One query that fails would end them all. The page says which questions a missing table leaves unasked.
        unasked = [
            node["name"]
            for node in manifest["nodes"].values()
            if node["resource_type"] == "analysis" and warehouse.missing_tables([node["name"]])
        ]
        exclude = [*FOOTERS, *unasked]
        shown = _dbt(dbt, "show", target, "--select", "path:analyses", "--exclude", *exclude)
    warehouse.answers |= _answers(shown)
    warehouse.queries = {
        result.node.name: str(result.node.compiled_code).strip()
        for result in (*footers.results, *shown.results)
    }
    return warehouse


def _dbt(dbt: dbtRunner, command: str, target: Path, *selection: str):
    """The result of dbt's command; its complaint, in one line, ends the program."""
    limit = ("--limit", "-1") if command == "show" else ()
    done = dbt.invoke(
        ["--quiet", "--log-level", "none", command, *selection, *limit], target_path=str(target)
    )
    if not done.success:
        complaint = " ".join(line.strip() for line in str(done.exception).splitlines() if line.strip())
        sys.exit(
            f"error: the warehouse cannot be asked: {complaint} (If it is not there yet: make run first.)"
        )
    return done.result


def _answers(shown) -> dict[str, list[dict]]:
    return {
        result.node.name: [
            dict(zip(result.agate_table.column_names, row, strict=True)) for row in result.agate_table.rows
        ]
        for result in shown.results
    }


def _tested(node: dict) -> list[str]:
    """The ids of what a test is of: the table whose test it is, not one that it compares this with; or all that a query refers to."""
    return [node["attached_node"]] if node.get("attached_node") else node["depends_on"]["nodes"]


def _row(row: dict) -> str:
    """A row that a test found, in a line."""
    return ", ".join(filter(None, [row["row_text"], row["left_out"] and f"{row['left_out']}: not kept"]))


def _told(status: str | None) -> str:
    return {"pass": "passed", "warn": "warned", "fail": "failed", "error": "failed"}.get(
        status or "", "not run"
    )
