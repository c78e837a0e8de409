"""Runs a script: one or more statements, with variables and a transaction.

Each statement is analysed by ZetaSQL against the tables as they are then, which refuses what BigQuery would refuse.
Queries, and the queries of CREATE … AS, are evaluated by ZetaSQL; DELETE, UPDATE and MERGE as queries too (dml.py).
Variables are constants of ZetaSQL's catalogue. Known to the script itself are DECLARE, SET, BEGIN … END without
exception handler, and BEGIN/COMMIT/ROLLBACK TRANSACTION.
"""

import re
from collections.abc import Sequence

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.local_service.local_service_pb2 import TableData
from zetasql.wasi._pb2.zetasql.public.value_pb2 import ValueProto

from ci.stand_ins.bigquery import dml
from ci.stand_ins.bigquery.definitions import define
from ci.stand_ins.bigquery.errors import BigQueryError, not_emulated, not_found
from ci.stand_ins.bigquery.metadata_views import is_metadata_view
from ci.stand_ins.bigquery.syntax import Script, attribute, kind, leaf, statements_of, table_names
from ci.stand_ins.bigquery.table import Table
from ci.stand_ins.bigquery.values import Column
from ci.stand_ins.bigquery.warehouse import Outcome, Warehouse
from ci.stand_ins.bigquery.zetasql_engine import NamedType, Rows, SqlError, Variable


def run_script(warehouse: Warehouse, sql: str) -> Outcome:
    """Run all statements; on an error, changes of an open transaction are undone and the rest is not run."""
    try:
        run = _Run(warehouse, sql)
        try:
            return run.all()
        finally:
            run.roll_back()
    except SqlError as error:
        raise _as_bigquery_says(error, warehouse) from None


class _Run:
    def __init__(self, warehouse: Warehouse, sql: str):
        self.warehouse = warehouse
        self.script = Script(warehouse.engine, sql, warehouse.project)
        self.variables: dict[str, Variable] = {}
        self.before_transaction: dict[str, Table] | None = None

    def all(self) -> Outcome:
        outcomes = self.run(self.script.statements)
        if len(self.script.statements) == 1 and outcomes:
            return outcomes[0]
        # The result of a script is that of its last query.
        rows = next((outcome.rows for outcome in reversed(outcomes) if outcome.rows), None)
        return Outcome("SCRIPT", rows=rows)

    def run(self, statements: list[Message]) -> list[Outcome]:
        outcomes = []
        for node in statements:
            match kind(node):
                case "VariableDeclaration":
                    self.declare(node)
                case "SingleAssignment" | "AssignmentFromStruct":
                    self.assign(node)
                case "BeginEndBlock":
                    if attribute(node, "handler_list"):
                        raise not_emulated("exception handlers")
                    outcomes += self.run(statements_of(node))
                case "Begin":
                    if self.before_transaction is not None:
                        raise BigQueryError("Transaction is already in progress")
                    self.before_transaction = dict(self.warehouse.tables)
                case "Commit":
                    self.require_transaction()
                    self.before_transaction = None
                case "Rollback":
                    self.require_transaction()
                    self.roll_back()
                case _:
                    outcomes.append(self.statement(node))
        return outcomes

    def require_transaction(self) -> None:
        if self.before_transaction is None:
            raise BigQueryError("There is no active transaction")

    def roll_back(self) -> None:
        if self.before_transaction is not None:
            self.warehouse.tables, self.before_transaction = self.before_transaction, None

    # Variables

    def declare(self, node: Message) -> None:
        default = f"({self.text(node.default_value)})" if node.HasField("default_value") else "null"
        value = f"cast({default} as {self.text(node.type)})" if node.HasField("type") else default
        for name in node.variable_list.identifier_list:
            self.variables[name.id_string.lower()] = self.value_of(value, node)

    def assign(self, node: Message) -> None:
        if kind(node) == "SingleAssignment":
            self.store(node.variable.id_string, self.value_of(self.text(node.expression), node))
            return
        struct = self.value_of(self.text(node.struct_expression), node)
        names = [name.id_string for name in node.variables.identifier_list]
        if len(names) != len(struct.value.struct_value.field):
            raise BigQueryError(f"SET of {len(names)} variables needs as many values")
        for place, name in enumerate(names):
            type_ = struct.type.struct_type.field[place].field_type
            self.store(name, Variable(type_, struct.value.struct_value.field[place]))

    def store(self, name: str, new: Variable) -> None:
        name = name.lower()
        if name not in self.variables:
            raise BigQueryError(f"Undeclared variable: {name}")
        declared = self.variables[name].type
        if declared != new.type:
            source = Rows([NamedType("value", new.type)], TableData(row=[TableData.Row(cell=[new.value])]))
            new = _only_value(self.warehouse.converted(source, [Column("value", declared)]))
        self.variables[name] = new

    def value_of(self, expression: str, node: Message) -> Variable:
        return _only_value(self.warehouse.query(f"select {expression}", table_names(node), self.variables))

    # SQL statements

    def text(self, node: Message) -> str:
        return self.script.text_of(node)

    def statement(self, node: Message) -> Outcome:
        if kind(node) == "Query":
            return Outcome("SELECT", rows=self.select(node))
        known = {
            name: self.warehouse.columns(name)
            for name in table_names(node)
            if name in self.warehouse.tables or is_metadata_view(name)
        }
        resolved = leaf(self.warehouse.engine.analyse(self.text(node), known, self.variables))
        match kind(resolved):
            case "Insert":
                return self.insert(node, resolved)
            case "Delete" | "Update" | "Merge":
                return self.change(node)
            case "Truncate":
                name = attribute(node, "target_path").names[0].id_string
                self.warehouse.write(name, Rows(self.warehouse.columns(name), TableData()))
                return Outcome("TRUNCATE_TABLE")
        if self.before_transaction is not None:
            raise BigQueryError(
                "DDL statements are not supported in a transaction, except for those targeting temporary tables or "
                "temporary functions."
            )
        return define(self.warehouse, self.text, self.variables, node, resolved)

    def select(self, node: Message) -> Rows:
        rows = self.warehouse.query(self.text(node), table_names(node), self.variables)
        columns = [
            column
            if column.name and not column.name.startswith("$")
            else NamedType(f"f{place}_", column.type)
            for place, column in enumerate(rows.columns)
        ]
        return Rows(columns, rows.data)

    def insert(self, node: Message, resolved: Message) -> Outcome:
        name = leaf(attribute(node, "target_path")).names[0].id_string
        columns = self.warehouse.columns(name)
        by_name = {column.name: column for column in columns}
        listed = [by_name[column.name] for column in resolved.insert_column_list]
        query = attribute(node, "query")
        query = self.text(query) if query else self.values(attribute(node, "rows"), listed)
        new = self.warehouse.query(query, table_names(node), self.variables)
        new = self.warehouse.converted(new, listed)
        data = TableData()
        data.CopyFrom(self.warehouse.rows(name).data)
        places = {column.name: place for place, column in enumerate(listed)}
        for row in new.data.row:
            cells = (row.cell[places[c.name]] if c.name in places else ValueProto() for c in columns)
            data.row.add(cell=cells)
        self.warehouse.write(name, Rows(columns, data))
        return Outcome("INSERT", affected=len(new.data.row))

    def values(self, rows: Message, columns: Sequence[Column]) -> str:
        """VALUES (…), (…) as a query. A NULL by itself would be an INT64, and is of its column's type."""
        return " union all ".join(
            "select "
            + ", ".join(
                f"{f'cast(null as {column.sql_type})' if kind(value) == 'NullLiteral' else self.text(value)} as c{i}"
                for i, (value, column) in enumerate(zip(row.values, columns, strict=True))
            )
            for row in rows.rows
        )

    def change(self, node: Message) -> Outcome:
        name = leaf(attribute(node, "target_path")).names[0].id_string
        table = self.warehouse.table(name)
        query = dml.afterwards(node, self.text, name, table.columns)
        rows, affected = dml.applied(self.warehouse.query(query, table_names(node), self.variables))
        self.warehouse.write(name, rows)
        return Outcome(kind(node).upper(), affected=affected)


def _only_value(rows: Rows) -> Variable:
    if len(rows.data.row) != 1 or len(rows.columns) != 1:
        raise BigQueryError("A variable takes exactly one value")
    return Variable(rows.columns[0].type, rows.data.row[0].cell[0])


def _as_bigquery_says(error: SqlError, warehouse: Warehouse) -> BigQueryError:
    missing = re.match(r"Table not found: `?([\w.$-]+)`?", str(error))
    if missing and missing[1].count(".") == 2:
        return not_found("Table", warehouse.spoken(missing[1]), warehouse.location)
    return BigQueryError(str(error))
