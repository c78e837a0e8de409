"""What the warehouse of DBT_TARGET answers to the analyses of the dbt project, and what dbt knows about its tables.

One process of dbt compiles and asks them all (`dbt show`), so whatever dbt can log in to can be read here.
"""

import json
import sys
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

from dbt.cli.main import dbtRunner

PROJECT = Path(__file__).parents[1] / "dbt_project"


@dataclass
class TestState:
    """How the data tests of some tables ended when each last ran: their names, by status."""

    names: dict[str, list[str]]
    last_run: object = None


@dataclass
class Warehouse:
    answers: dict[str, list[dict]]
    manifest: dict
    # of each table that there is: its rows, and the last day that it tells of
    tables: dict[str, dict] = field(init=False)
    tests: dict[str, dict] = field(init=False)

    def __post_init__(self):
        self.tables = {row["unique_id"]: row for row in self.answers["report_footer_tables"]}
        self.tests = {row["unique_id"]: row for row in self.answers["report_footer_tests"]}

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

    def test_state(self, tables) -> TestState:
        ids = {table["unique_id"] for table in tables}
        state, times = TestState({status: [] for status in ("passed", "warned", "failed", "not run")}), []
        for node in self.manifest["nodes"].values():
            if node["resource_type"] == "test" and ids & set(node["depends_on"]["nodes"]):
                result = self.tests.get(node["unique_id"], {"status": None, "run_started_at": None})
                state.names[_told(result["status"])].append(node["name"])
                times.append(result["run_started_at"])
        state.last_run = max(filter(None, times), default=None)
        return state


def ask(target: Path) -> Warehouse:
    """Asks everything; dbt leaves its manifest in `target`. Ends the program where nothing can be told."""
    target.mkdir(parents=True, exist_ok=True)
    target = target.resolve()
    with chdir(PROJECT):
        asked = dbtRunner().invoke(
            ["--quiet", "--log-level", "none", "show", "--select", "path:analyses", "--limit", "-1"],
            target_path=str(target),
        )
    if not asked.result:
        sys.exit(
            f"error: the warehouse cannot be asked: {_first_line(asked.exception)} Is it there? If not, make run first."
        )
    manifest = json.loads((target / "manifest.json").read_text())
    failed = {
        result.node.name: result.message for result in asked.result.results if result.agate_table is None
    }
    warehouse = (
        Warehouse(
            {
                result.node.name: [
                    dict(zip(result.agate_table.column_names, row, strict=True))
                    for row in result.agate_table.rows
                ]
                for result in asked.result.results
                if result.agate_table is not None
            },
            manifest,
        )
        if not failed.keys() & {"report_footer_tables", "report_footer_tests"}
        else None
    )
    if warehouse is None:
        sys.exit(f"error: the warehouse cannot be asked: {_first_line(next(iter(failed.values())))}")
    if not warehouse.tables.keys() & manifest["nodes"].keys():
        sys.exit("error: the warehouse has none of the marts: run make run first (or make demo).")
    # A table that is missing is told on the page. Any other failure is a mistake.
    for query, message in failed.items():
        if all(table["unique_id"] in warehouse.tables for table in warehouse.tables_behind([query])):
            sys.exit(f"error: the query {query} failed: {_first_line(message)}")
    return warehouse


def _told(status: str | None) -> str:
    return {"pass": "passed", "warn": "warned", "fail": "failed", "error": "failed"}.get(status, "not run")


def _first_line(message) -> str:
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    return " ".join(lines[:3])
