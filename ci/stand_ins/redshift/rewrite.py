"""Redshift's SQL as PostgreSQL understands it, changed token by token; all other text stays byte for byte.

A statement that Redshift would refuse becomes one that raises Redshift's error, so that the connection, the
transaction and the prepared statement go on as after any other error.
"""

import re
from collections.abc import Collection
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import TokenError

from ci.stand_ins.redshift.external_ddl import external_ddl
from ci.stand_ins.redshift.gate import problems_of
from ci.stand_ins.redshift.statement import Reader, Refused, Token, closing, literal, split, tokens_of

TRANSACTION_BEGINS, TRANSACTION_ENDS = {"begin", "start"}, {"commit", "end", "rollback", "abort"}
QUERY_BEGINS = {"select", "with", "create", "insert", "delete", "update", "merge"}
# Statements that look something up in the catalogues run on Redshift's leader node, which is a PostgreSQL.
CATALOGUE = re.compile(r"pg_\w+|information_schema|sv[vlcs]_\w+|st[lv]_\w+|sys_\w+|has_\w+_privilege")


class Edit(NamedTuple):
    start: int
    end: int
    text: str


def rewrite(sql: str, external_schemas: Collection[str] = (), in_transaction: bool = False) -> str:
    """The text of a Query or Parse message, with one statement or several, for PostgreSQL."""
    try:
        tokens = tokens_of(sql)
    except TokenError:
        return sql  # PostgreSQL says what is wrong with it.
    edits = []
    for statement in split(tokens):
        first, last = statement[0], statement[-1]
        try:
            new_text = rewrite_statement(sql, statement, external_schemas, in_transaction)
        except Refused as refused:
            new_text = f"select redshift.refuse({literal(str(refused))}, '{refused.sqlstate}')"
        edits.append(Edit(first.start, last.end, new_text))
        if first.word in TRANSACTION_BEGINS | TRANSACTION_ENDS:
            in_transaction = first.word in TRANSACTION_BEGINS
    return apply(edits, sql)


def rewrite_statement(
    sql: str, tokens: list[Token], external_schemas: Collection[str], in_transaction: bool
) -> str:
    if call := external_ddl(Reader(tokens, sql), external_schemas):
        kind, call_text = call
        if in_transaction and kind != "CREATE EXTERNAL SCHEMA":
            raise Refused(f"{kind} cannot run inside a transaction block", "25001")
        return call_text

    text = sql[tokens[0].start : tokens[-1].end]
    is_query = tokens[0].word in QUERY_BEGINS and not any(CATALOGUE.fullmatch(token.name) for token in tokens)
    if is_query and (problems := problems_of(text)):
        raise Refused("; ".join(problems), "0A000")
    if view_call := late_binding_view(sql, tokens):
        return view_call
    return changed(sql, tokens)


def changed(sql: str, tokens: list[Token]) -> str:
    """The text of these tokens with what PostgreSQL spells otherwise."""
    edits = [
        *table_attributes(tokens),
        *date_parts(tokens),
        *listagg(tokens),
        *try_casts(tokens),
        *text_types(tokens),
    ]
    return apply(edits, sql, tokens[0].start, tokens[-1].end)


def table_attributes(tokens: list[Token]) -> list[Edit]:
    """diststyle, distkey, sortkey, encode and backup say where rows lie; PostgreSQL has one place."""
    if tokens[0].word != "create" or "table" not in [token.word for token in tokens[1:3]]:
        return []
    edits, position = [], 0
    while position < len(tokens):
        last = position
        words = [token.word for token in tokens[position : position + 2]]
        if words[0] in ("diststyle", "encode", "backup") and len(words) == 2 and words[1].isidentifier():
            last = position + 1
        elif words[0] in ("compound", "interleaved") and words[1:] == ["sortkey"]:
            last = position
        elif words[0] in ("distkey", "sortkey"):
            if words[1:] == ["("]:
                last = closing(tokens, position + 1)
            elif words[1:] == ["auto"]:
                last = position + 1
        else:
            position += 1
            continue
        edits.append(Edit(tokens[position].start, tokens[last].end, ""))
        position = last + 1
    return edits


def date_parts(tokens: list[Token]) -> list[Edit]:
    """dateadd(day, …) → dateadd('day', …); extract(day from …) → redshift.extract_part('day', …)."""
    edits = []
    for function, opening, part, after in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False):
        if opening.word != "(" or not part.word.isidentifier():
            continue
        if function.word in ("dateadd", "datediff", "date_part") and after.word == ",":
            edits.append(Edit(part.start, part.end, f"'{part.word}'"))
        elif function.word == "extract" and after.word == "from" and part.word != "epoch":
            edits.append(Edit(function.start, function.end, "redshift.extract_part"))
            edits.append(Edit(part.start, after.end, f"'{part.word}',"))
    return edits


def listagg(tokens: list[Token]) -> list[Edit]:
    """listagg(a, ',') within group (order by b) → string_agg(a, ',' order by b)."""
    edits = []
    for position, token in enumerate(tokens[:-1]):
        if token.word != "listagg" or tokens[position + 1].word != "(":
            continue
        end = closing(tokens, position + 1)
        edits.append(Edit(token.start, token.end, "string_agg"))
        separator = "" if has_comma(tokens, position + 1, end) else ", ''"
        if [token.word for token in tokens[end + 1 : end + 4]] == ["within", "group", "("]:
            edits.append(Edit(tokens[end].start, tokens[end + 3].end, separator + " "))
        elif separator:
            edits.append(Edit(tokens[end].start, tokens[end].start, separator))
    return edits


def try_casts(tokens: list[Token]) -> list[Edit]:
    """try_cast(a as date) → cast(redshift.try_cast(a, 'date') as date)."""
    edits = []
    for position, token in enumerate(tokens[:-1]):
        if token.word != "try_cast" or tokens[position + 1].word != "(":
            continue
        end = closing(tokens, position + 1)
        separator = max(n for n in range(position, end) if tokens[n].word == "as")
        type_name = " ".join(token.word for token in tokens[separator + 1 : end])
        edits.append(Edit(token.start, token.end, "cast(redshift.try_cast"))
        edits.append(
            Edit(tokens[separator].start, tokens[end].end, f", {literal(type_name)}) as {type_name})")
        )
    return edits


def text_types(tokens: list[Token]) -> list[Edit]:
    """text, and varchar without a length, is varchar(256), also in a cast, which cuts off what is longer:
    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    """
    edits, functions = [], []
    makes_table = tokens[0].word == "create" and "table" in [token.word for token in tokens[1:3]]
    for position, token in enumerate(tokens):
        before = tokens[position - 1].word if position else ""
        if token.word == "(":
            functions.append(before)
        elif token.word == ")" and functions:
            functions.pop()
        elif token.word == "text" or (
            token.word == "varchar" and [t.word for t in tokens[position + 1 : position + 2]] != ["("]
        ):
            in_cast = before == "as" and functions[-1:] == ["cast"]
            is_column_type = makes_table and len(functions) == 1 and tokens[position - 2].word in ("(", ",")
            if before == "::" or in_cast or is_column_type:
                edits.append(Edit(token.start, token.end, "varchar(256)"))
    return edits


def late_binding_view(sql: str, tokens: list[Token]) -> str | None:
    """create [or replace] view … as … with no schema binding, as a call; None for any other statement."""
    reader = Reader(tokens, sql)
    if not reader.skip("create"):
        return None
    is_replaced = reader.skip("or", "replace")
    if [token.word for token in tokens[-4:]] != ["with", "no", "schema", "binding"] or not reader.skip(
        "view"
    ):
        return None
    start = reader.position
    reader.qualified_name()
    view = sql[tokens[start].start : tokens[reader.position - 1].end]
    reader.expect("as")
    query = changed(sql, tokens[reader.position : -4])
    schemas = schemas_of(sql[tokens[reader.position].start : tokens[-5].end])
    return (
        f"call redshift.create_late_binding_view({literal(view)}, {is_replaced}, {literal(query)}, "
        f"array[{', '.join(map(literal, schemas))}]::text[])"
    )


def schemas_of(query: str) -> list[str]:
    tables = sqlglot.parse_one(query, read="redshift").find_all(exp.Table)
    return sorted({table.db for table in tables if table.db})


def has_comma(tokens: list[Token], opening: int, end: int) -> bool:
    depth = 0
    for token in tokens[opening + 1 : end]:
        depth += {"(": 1, ")": -1}.get(token.word, 0)
        if token.word == "," and depth == 0:
            return True
    return False


def apply(edits: list[Edit], sql: str, start: int = 0, end: int | None = None) -> str:
    """sql[start:end] with the edits, which do not overlap."""
    pieces, position = [], start
    for edit in sorted(edits):
        pieces += [sql[position : edit.start], edit.text]
        position = edit.end
    pieces.append(sql[position:end])
    return "".join(pieces)
