"""Which columns of other tables a column is made from, read from the SQL that dbt has compiled.

sqlglot follows each column to the tables that the query reads. Where it cannot, nothing is said: a wrong origin is worse than none.
"""

from typing import Any, NamedTuple

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

# dbt's names of adapters that sqlglot calls the same.
DIALECTS = {"duckdb", "redshift", "bigquery"}


# By schema and name.
Parents = dict[tuple[str, str], dict[str, Any]]


class Origin(NamedTuple):
    """`values`: what the column's values are taken or computed from. `decided_by`: if there is nothing of the kind, as in a case of
    literals, what decides which it is. Both as "table.column", or "rows of table" for a count of them, in the order of their names."""

    values: list[str]
    decided_by: list[str]


def origins(manifest: dict[str, Any], table: str, types: dict[str, dict[str, str]]) -> dict[str, Origin]:
    """Of the columns of the table with this unique_id, as far as they are known, and of its rows as "*"; `types` has the columns of each table by
    unique_id."""
    node = manifest["nodes"].get(table, {})
    dialect = manifest["metadata"]["adapter_type"]
    if node.get("resource_type") != "model" or not node.get("compiled_code") or dialect not in DIALECTS:
        return {}
    parents = {
        (
            parent["schema"].lower(),
            (parent.get("identifier") or parent.get("alias") or parent["name"]).lower(),
        ): parent
        for name in node["depends_on"]["nodes"]
        if (parent := manifest["nodes"].get(name) or manifest["sources"].get(name))
    }
    schema: dict[str, Any] = {}
    for (place, name), parent in parents.items():
        columns = types.get(parent["unique_id"]) or {column: "" for column in parent["columns"]}
        schema.setdefault(place, {})[name] = {column: kind or "unknown" for column, kind in columns.items()}
    try:
        query = _without_database(node["compiled_code"], dialect)
        everything = lineage(None, query, schema, dialect=dialect, trim_selects=False)
        values = lineage(None, query.transform(_values_alone), schema, dialect=dialect, trim_selects=False)
    except (SqlglotError, ValueError, KeyError):
        return {}
    rows = [f"rows of {name}" for name in sorted(_rows_of(query, parents, query) or ())]
    found = {}
    for column in node["columns"]:
        if column not in everything or column not in values:
            continue
        of_values, of_all = (_ends(graph[column], parents, query) for graph in (values, everything))
        if of_all == [] and any(_makes_numbers(step.expression) for step in everything[column].walk()):
            # Made of numbers that are in no table: how many there are is how many rows.
            of_all = rows
        if of_all:
            found[column] = Origin(of_values or [], [] if of_values else of_all)
    if rows:
        found["*"] = Origin(rows, [])
    return found


def ways_down(tables: dict[str, dict[str, Origin]]) -> dict[tuple[str, str], list[list[str]]]:
    """Of each column, by table and name, what it is made of, what that is made of, and so on down to where the data come in. `tables` has the
    origins of each table by the table's name."""

    def made_of(name: str) -> list[str]:
        table, _, column = name.removeprefix("rows of ").partition(".")
        origin = tables.get(table, {}).get(column or "*")
        return [] if origin is None else origin.values or origin.decided_by

    ways = {}
    for table, columns in tables.items():
        for column in columns:
            steps, step, seen = [], made_of(f"{table}.{column}"), set()
            while step:
                steps.append(step)
                seen |= {*step}
                step = sorted({below for name in step for below in made_of(name)} - seen)
            ways[table, column] = steps
    return ways


def _without_database(sql: str, dialect: str) -> exp.Expr:
    """The schema is enough to tell tables apart."""
    query = parse_one(sql, dialect=dialect)
    for table in query.find_all(exp.Table):
        table.set("catalog", None)
    return query


def _values_alone(part: exp.Expr) -> exp.Expr:
    """Without what only chooses or orders: a window's groups, an aggregate's order and filter, the conditions of a case."""
    if isinstance(part, exp.Window):
        if part.this.find(exp.Column):
            return part.this
        # A rank is made of what it goes by.
        part.set("partition_by", None)
        return part
    if (
        isinstance(part, exp.Filter | exp.Order | exp.WithinGroup)
        and part.this is not None
        and not isinstance(part.parent, exp.Select)
    ):
        return part.this
    if isinstance(part, exp.If) and isinstance(part.parent, exp.Case):
        part.set("this", exp.true())
    return part


def _ends(node: Node, parents: Parents, query: exp.Expr) -> list[str] | None:
    """The columns of tables that a column leads to, and tables whose rows are counted; None if a way is lost."""
    ends: set[str] = set()
    for step in node.walk():
        if _makes_numbers(step.expression):
            continue
        found: set[str] | None = set()
        if isinstance(step.expression, exp.Table):
            parent = _parent(step.expression, parents)
            column = step.name.rsplit(".", 1)[-1].lower()
            found = {f"{parent['name']}.{column}"} if parent and column != "*" else None
        elif any(isinstance(count.this, exp.Star) for count in step.expression.find_all(exp.Count)):
            tables = _rows_of(step.source, parents, query)
            found = tables and {f"rows of {table}" for table in tables}
        elif not step.downstream and step.expression.find(exp.Column, exp.Star, exp.AggFunc):
            found = None
        if found is None:
            return None
        ends |= found
    return sorted(ends)


def _rows_of(query: exp.Expr, parents: Parents, whole: exp.Expr) -> set[str] | None:
    """The tables that decide how many rows a query has: all that it joins but those that only add columns to a row; None if one is
    not known."""
    if isinstance(query, exp.SetOperation):
        sides = [_rows_of(side, parents, whole) for side in (query.left, query.right)]
        return None if sides[0] is None or sides[1] is None else sides[0] | sides[1]
    if not isinstance(query, exp.Select) or not (start := query.args.get("from_") or query.args.get("from")):
        return None
    joined = [join.this for join in query.args.get("joins") or () if join.side != "LEFT"]
    tables: set[str] = set()
    for source in (start.this, *joined):
        found = None
        if isinstance(source, exp.Subquery):
            found = _rows_of(source.this, parents, whole)
        elif _makes_numbers(source):
            found = set()
        elif isinstance(source, exp.Table):
            parent = _parent(source, parents)
            # With a schema it is a table, which a CTE that reads it may be called after.
            named = next(
                (cte.this for cte in whole.find_all(exp.CTE) if cte.alias == source.name and not source.db),
                exp.null(),
            )
            found = {parent["name"]} if parent else _rows_of(named, parents, whole)
        if found is None:
            return None
        tables |= found
    return tables


def _makes_numbers(part: exp.Expr) -> bool:
    """A function in place of a table, as generate_series(1, 9): it reads none."""
    return isinstance(part, exp.Table) and isinstance(part.this, exp.Func)


def _parent(table: exp.Table, parents: Parents) -> dict[str, Any] | None:
    return parents.get((table.db.lower(), table.name.lower()))
