"""What a change does to the numbers: two DuckDB warehouses compared, as Markdown, for a pull request.

    python -m pages.diff dbt_project/target/manifest.json before.duckdb after.duckdb

Of each public table the rows, the columns, and the values by key; of each metric the value; and which exposures read a table that differs.
Only counts and totals are printed, no rows. Views are left out: they show what their tables have.
"""

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pages.manifest import key_of, tests_of


@dataclass
class Difference:
    """Of one table; rows are None in the warehouse that lacks it."""

    rows_before: int | None
    rows_after: int | None
    # Rows by key.
    only_before: int = 0
    only_after: int = 0
    changed: int = 0
    # "+ name type" or "- name type"; "name count", the rows in which its value changed.
    columns: list[str] = field(default_factory=list)

    @property
    def is_any(self) -> bool:
        return self.rows_before != self.rows_after or bool(self.only_before or self.columns)


def compare(manifest: dict[str, Any], before: Path, after: Path) -> str:
    """The comparison as Markdown. Ends the program if a file is no warehouse."""
    with duckdb.connect() as warehouses:
        for side, file in (("before", before), ("after", after)):
            if not file.exists():
                sys.exit(f"error: there is no warehouse at {file}")
            place = str(file).replace("'", "''")
            try:
                warehouses.sql(f"attach '{place}' as {side} (read_only)")
            except duckdb.Error as error:
                sys.exit(
                    f"error: {file} cannot be read; is it a DuckDB file that no run writes to? ({error})"
                )
        tables = {
            node["name"]: _compare_table(
                _table(warehouses, "before", node["schema"], node["alias"]),
                _table(warehouses, "after", node["schema"], node["alias"]),
                key_of(tests_of(manifest, node["unique_id"])),
            )
            for node in sorted(manifest["nodes"].values(), key=lambda node: str(node["name"]))
            if node["resource_type"] == "model"
            and node["config"]["access"] == "public"
            and node["config"]["materialized"] != "view"
        }
        metrics = {
            metric["label"]: [_metric(warehouses, manifest, metric, side) for side in ("before", "after")]
            for metric in manifest["metrics"].values()
        }
    return "\n".join(
        [*_table_lines(tables), "", *_metric_lines(metrics), "", *_exposure_lines(manifest, tables)]
    )


def _table(
    warehouses: duckdb.DuckDBPyConnection, side: str, schema: str, name: str
) -> duckdb.DuckDBPyRelation | None:
    try:
        return warehouses.table(f"{side}.{schema}.{name}")
    except duckdb.CatalogException:
        return None


def _compare_table(
    before: duckdb.DuckDBPyRelation | None, after: duckdb.DuckDBPyRelation | None, key: list[str]
) -> Difference:
    if before is None or after is None:
        return Difference(None if before is None else len(before), None if after is None else len(after))
    types_before, types_after = (
        dict(zip(table.columns, map(str, table.types), strict=True)) for table in (before, after)
    )
    difference = Difference(len(before), len(after))
    for sign, these, others in (("-", types_before, types_after), ("+", types_after, types_before)):
        difference.columns += [
            f"{sign} {name} {kind}" for name, kind in these.items() if others.get(name) != kind
        ]
    if not set(key) <= types_before.keys() & types_after.keys():
        return difference
    compared = [name for name in types_before if name in types_after and name not in key]
    changed = [
        f"before.is_there and after.is_there and before.{name} is distinct from after.{name}"
        for name in compared
    ]
    conditions = [
        "after.is_there is null",
        "before.is_there is null",
        " or ".join(changed) or "false",
        *changed,
    ]
    ((*counts,),) = (
        before.project("*, true as is_there")
        .set_alias("before")
        .join(after.project("*, true as is_there").set_alias("after"), ", ".join(key), how="outer")
        .aggregate(", ".join(f"count(*) filter ({condition})" for condition in conditions))
        .fetchall()
    )
    difference.only_before, difference.only_after, difference.changed, *by_column = counts
    difference.columns += [
        f"{name} {count:,}" for name, count in zip(compared, by_column, strict=True) if count
    ]
    return difference


def _metric(
    warehouses: duckdb.DuckDBPyConnection, manifest: dict[str, Any], metric: dict[str, Any], side: str
) -> Any:
    """The metric over all rows that it counts, a sum, a count or a ratio of two; None if the warehouse lacks what it is made of."""
    parameters = metric["type_params"]
    project = manifest["metadata"]["project_name"]
    if metric["type"] == "ratio":
        over, under = (
            _metric(
                warehouses,
                manifest,
                manifest["metrics"][f"metric.{project}.{parameters[part]['name']}"],
                side,
            )
            for part in ("numerator", "denominator")
        )
        return over / under if over is not None and under else None
    how = parameters["metric_aggregation_params"]
    model = manifest["semantic_models"][f"semantic_model.{project}.{how['semantic_model']}"]["node_relation"]
    table = _table(warehouses, side, model["schema_name"], model["alias"])
    function = {"sum": "sum({})", "count": "count({})", "count_distinct": "count(distinct {})"}[how["agg"]]
    # Its own dimensions, which are called as their columns are.
    only = [
        re.sub(r"\{\{ Dimension\('\w+__(\w+)'\) \}\}", r"\1", each["where_sql_template"])
        for each in (metric["filter"] or {}).get("where_filters", ())
    ]
    try:
        return (
            table
            and table.filter(" and ".join(f"({each})" for each in only) or "true")
            .aggregate(function.format(parameters.get("expr") or metric["name"]))
            .fetchall()[0][0]
        )
    except duckdb.BinderException:
        return None


def _table_lines(tables: dict[str, Difference]) -> list[str]:
    lines = [
        f"| {name} | {_number(table.rows_before)} | {_number(table.rows_after)} | {table.only_before:,} | {table.only_after:,} "
        f"| {table.changed:,} | {', '.join(table.columns)} |"
        for name, table in tables.items()
        if table.is_any
    ]
    equal = ", ".join(name for name, table in tables.items() if not table.is_any) or "none"
    if lines:
        heading = "| table | rows before | after | only before | only after | changed | columns |"
        lines = [heading, "|---|---:|---:|---:|---:|---:|---|", *lines, ""]
    return [*lines, f"Equal: {equal}."]


def _metric_lines(metrics: dict[str, list[Any]]) -> list[str]:
    lines = [
        f"| {label} | {_number(before)} | {_number(after)} |"
        for label, (before, after) in metrics.items()
        if before != after
    ]
    return ["| metric | before | after |", "|---|---:|---:|", *lines] if lines else ["No metric moves."]


def _exposure_lines(manifest: dict[str, Any], tables: dict[str, Difference]) -> list[str]:
    lines = []
    for exposure in manifest["exposures"].values():
        read = (node.split(".")[-1] for node in exposure["depends_on"]["nodes"])
        moved = sorted(name for name in read if name in tables and tables[name].is_any)
        if moved:
            lines.append(f"- {exposure['label']}: {', '.join(moved)}")
    return ["Exposures that move:", "", *lines] if lines else ["No exposure moves."]


def _number(value: Any) -> str:
    return "missing" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.5f}"


if __name__ == "__main__":
    _, manifest_file, *files = sys.argv
    print(compare(json.loads(Path(manifest_file).read_text()), *map(Path, files)))
