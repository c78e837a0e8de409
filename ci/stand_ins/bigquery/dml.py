"""DELETE, UPDATE and MERGE as a SELECT of the table's rows as they are afterwards.

ZetaSQL has checked the statement before; here its parts are put into a query that ZetaSQL evaluates. The query gives
for each row what becomes of it, where it stood in the table, and its values:

    change  kept, updated, inserted, deleted, or unused (a source row of a MERGE that nothing is done with)
    place   the row's number in the table; NULL for an inserted row
"""

from collections.abc import Callable, Sequence

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.local_service.local_service_pb2 import TableData
from zetasql.wasi._pb2.zetasql.parser.ast_enums_pb2 import ASTMergeActionEnums as Action
from zetasql.wasi._pb2.zetasql.parser.ast_enums_pb2 import ASTMergeWhenClauseEnums as Match

from ci.stand_ins.bigquery.errors import BigQueryError, not_emulated
from ci.stand_ins.bigquery.syntax import attribute, kind, leaf
from ci.stand_ins.bigquery.values import Column, sql_type
from ci.stand_ins.bigquery.zetasql_engine import Rows

Text = Callable[[Message], str]


def afterwards(statement: Message, text: Text, target: str, columns: Sequence[Column]) -> str:
    """The query for a DELETE, UPDATE or MERGE statement."""
    queries = {"Delete": _after_delete, "Update": _after_update, "Merge": _after_merge}
    return queries[kind(statement)](statement, text, target, columns)


def applied(rows: Rows) -> tuple[Rows, int]:
    """The table's rows from what the query gave, and how many the statement changed."""
    inserted, of_target, changed = [], {}, set()
    for row in rows.data.row:
        change, place = row.cell[0].string_value, row.cell[1].int64_value
        if change == "inserted":
            inserted.append(row)
        elif change in ("updated", "deleted"):
            if place in changed:
                raise BigQueryError("UPDATE/MERGE must match at most one source row for each target row")
            changed.add(place)
            of_target[place] = row if change == "updated" else None
        elif change == "kept":
            # A target row that several source rows match comes several times.
            of_target.setdefault(place, row)
    afterwards = [*filter(None, of_target.values()), *inserted]
    data = TableData(row=[TableData.Row(cell=row.cell[2:]) for row in afterwards])
    return Rows(rows.columns[2:], data), len(changed) + len(inserted)


def _after_delete(statement: Message, text: Text, target: str, columns: Sequence[Column]) -> str:
    alias = _alias_of(statement)
    condition = _where(statement, text)
    return f"select if({condition}, 'deleted', 'kept'), __place, {_names(columns)} {_from(target, alias)}"


def _after_update(statement: Message, text: Text, target: str, columns: Sequence[Column]) -> str:
    if attribute(statement, "from_clause"):
        raise not_emulated("UPDATE … FROM")
    alias = _alias_of(statement)
    condition = _where(statement, text)
    new_values = _assignments(attribute(statement, "update_item_list"), text)
    values = (
        _case([(condition, new_values[column.name.lower()])], f"{alias}.`{column.name}`")
        if column.name.lower() in new_values
        else f"{alias}.`{column.name}`"
        for column in columns
    )
    return f"select if({condition}, 'updated', 'kept'), __place, {', '.join(values)} {_from(target, alias)}"


def _after_merge(statement: Message, text: Text, target: str, columns: Sequence[Column]) -> str:
    """Three queries, because each kind of clause sees other columns: those of both sides, or of its own side only."""
    condition = text(attribute(statement, "merge_condition"))
    clauses = attribute(statement, "when_clauses").clause_list
    target_alias = _alias_of(statement)
    source_alias = _alias_of(leaf(attribute(statement, "table_expression")))
    target_rows = _from(target, target_alias)
    source_rows = f"from {text(attribute(statement, 'table_expression'))}"

    def rows(match_type: int, place: str, unchanged: str, from_: str) -> str:
        cases = [
            _MergeCase(clause, text, target_alias, source_alias)
            for clause in clauses
            if clause.match_type == match_type
        ]
        has_target = match_type != Match.NOT_MATCHED_BY_TARGET
        outputs = [_case([(case.condition, f"'{case.change}'") for case in cases], f"'{unchanged}'"), place]
        for column in columns:
            values = [(case.condition, case.value_of(column)) for case in cases]
            otherwise = f"{target_alias}.`{column.name}`" if has_target else _null(column)
            outputs.append(_cast(_case(values, otherwise), column))
        return f"select {', '.join(outputs)} {from_}"

    place = f"{target_alias}.__place"
    return " union all ".join(
        [
            rows(Match.MATCHED, place, "kept", f"{target_rows} join {source_rows[5:]} on {condition}"),
            rows(
                Match.NOT_MATCHED_BY_SOURCE,
                place,
                "kept",
                f"{target_rows} where not exists (select 1 {source_rows} where {condition})",
            ),
            rows(
                Match.NOT_MATCHED_BY_TARGET,
                "null",
                "unused",
                f"{source_rows} where not exists (select 1 {target_rows} where {condition})",
            ),
        ]
    )


class _MergeCase:
    """One WHEN clause: when it applies, what it does, and the value that each column then has."""

    def __init__(self, clause: Message, text: Text, target_alias: str, source_alias: str):
        action = clause.action
        self.condition = text(clause.search_condition) if clause.HasField("search_condition") else "true"
        self.change = {Action.INSERT: "inserted", Action.UPDATE: "updated", Action.DELETE: "deleted"}[
            action.action_type
        ]
        self._values: dict[str, str] = {}
        self._other: Callable[[Column], str] = lambda column: f"{target_alias}.`{column.name}`"
        if action.action_type == Action.UPDATE:
            self._values = _assignments(action.update_item_list, text)
        elif action.action_type == Action.INSERT and action.insert_row.values:
            names = (name.id_string.lower() for name in action.insert_column_list.identifiers)
            values = (f"({text(value)})" for value in action.insert_row.values)
            self._values, self._other = dict(zip(names, values, strict=True)), _null
        elif action.action_type == Action.INSERT:  # INSERT ROW
            self._other = lambda column: f"{source_alias}.`{column.name}`"

    def value_of(self, column: Column) -> str:
        return self._values.get(column.name.lower()) or self._other(column)


def _case(cases: list[tuple[str, str]], otherwise: str) -> str:
    if not cases:
        return otherwise
    return f"case {' '.join(f'when {condition} then {value}' for condition, value in cases)} else {otherwise} end"


def _cast(value: str, column: Column) -> str:
    # Values of a nested type have it already: nothing is coerced to an array or a struct.
    sql = sql_type(column.type)
    return value if "<" in sql else f"cast({value} as {sql})"


def _null(column: Column) -> str:
    return f"cast(null as {sql_type(column.type)})"


def _where(statement: Message, text: Text) -> str:
    where = attribute(statement, "where")
    if not where:
        raise BigQueryError(f"{kind(statement).upper()} must have a WHERE clause")
    return text(where)


def _assignments(items: Message, text: Text) -> dict[str, str]:
    """Column (lower case) → new value, of SET column = value, …"""
    values = (item.set_value for item in items.update_items)
    return {text(value.path).strip("`").lower(): f"({text(value.value)})" for value in values}


def _from(target: str, alias: str) -> str:
    return f"from (select *, row_number() over () as __place from `{target}`) as {alias}"


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(f"`{column.name}`" for column in columns)


def _alias_of(node: Message) -> str:
    alias = attribute(node, "alias")
    return f"`{alias.identifier.id_string}`" if alias else "source"
