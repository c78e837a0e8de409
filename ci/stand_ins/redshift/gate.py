"""What Redshift refuses and PostgreSQL lets pass, found in the text of a query.

    problems_of("select string_agg(a, ',') from t")   # ["string_agg() is no function of Redshift"]

Functions are on an allow-list: one that is not on it is refused until somebody has looked it up in AWS's reference
(https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html) and adds it. Syntax is on a deny-list, which can only know what somebody has thought of. What is right here may
still fail on Redshift: types, correlated subqueries and limits of the cluster are not looked at.
"""

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import ParseError, SqlglotError


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


FUNCTIONS = words(
    # aggregates and window functions
    """
    any_value approximate avg bool_and bool_or bit_and bit_or count listagg max median min percentile_cont percentile_disc
    stddev stddev_pop stddev_samp sum var_pop var_samp variance cume_dist dense_rank first_value lag last_value lead
    nth_value ntile percent_rank rank ratio_to_report row_number
    """
    # conditions, NULL
    """
    coalesce decode greatest least nullif nvl nvl2
    """
    # texts
    """
    ascii btrim char_length character_length charindex chr concat crc32 func_sha1 initcap left len length lower lpad ltrim
    md5 octet_length position quote_ident quote_literal regexp_count regexp_instr regexp_replace regexp_substr repeat
    replace reverse right rpad rtrim sha sha1 sha2 soundex split_part strpos strtol substring textlen to_hex
    translate trim upper farmfingerprint64 fnv_hash checksum
    """
    # numbers
    """
    abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees dexp dlog1 dlog10 exp floor ln mod pi power radians
    random round sign sin sqrt tan trunc
    """
    # dates and times
    """
    add_months convert_timezone date_cmp date_part date_part_year date_trunc dateadd datediff extract getdate last_day
    months_between next_day timeofday to_timestamp timezone
    """
    # conversions, JSON
    """
    cast convert to_char to_date to_number try_cast can_json_parse is_valid_json is_valid_json_array
    json_array_length json_extract_array_element_text json_extract_path_text json_parse json_serialize
    """
)
# They answer a query without tables, and fail on the rows of one
# (https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html).
LEADER_NODE_ONLY = words(
    """
    substr log factorial current_schema current_schemas has_database_privilege has_schema_privilege has_table_privilege
    age now current_time current_timestamp localtime isfinite get_bit get_byte set_bit set_byte getbit getbyte setbit
    setbyte to_ascii
    """
)
# Words that stand before a parenthesis and are no functions.
WORDS = words(
    """
    all and any as between by case cross cube distinct else except exists from full group grouping having in inner insert
    intersect into is join left like ilike limit lateral materialized minus not null on or order outer over partition
    right rollup select set sets similar some then to union unique update using values when where with within
    diststyle distkey sortkey encode compound interleaved key primary references foreign check default
    char character varchar nchar nvarchar bpchar varying numeric decimal dec float varbyte binary timestamp time
    """
)
TYPES_OF_POSTGRESQL = words(
    "json jsonb uuid xml bytea money inet cidr hstore serial bigserial smallserial bit int4range tsrange enum"
)
# Aggregates over a window with an order; these window functions have an order and never a frame.
WITHOUT_FRAME = (
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead,
)  # fmt: skip


def problems_of(sql: str) -> list[str]:
    """Why Redshift would refuse the text, a sentence for each reason; empty when nothing is known against it."""
    try:
        tokens = sqlglot.tokenize(sql, read="redshift")
        statements = [statement for statement in sqlglot.parse(sql, read="redshift") if statement]
    except ParseError as error:
        first = error.errors[0]
        return [f'this is no SQL of Redshift: {first["description"]} near "{first["highlight"]}"']
    except SqlglotError as error:
        return [f"this is no SQL of Redshift: {error}"]
    defined = {cte.alias.lower() for statement in statements for cte in statement.find_all(exp.CTE)}
    problems = [*function_problems(sql, tokens, defined)]
    if any(token.token_type in (TokenType.ARROW, TokenType.DARROW) for token in tokens):
        problems.append("Redshift has no operators -> and ->>: use json_extract_path_text()")
    for statement in statements:
        for node in statement.walk():
            problems += [problem for check in CHECKS for problem in check(node)]
    return list(dict.fromkeys(problems))


def function_problems(sql: str, tokens: list[Token], defined: set[str]) -> Iterator[str]:
    for position, token in enumerate(tokens[:-1]):
        if tokens[position + 1].token_type != TokenType.L_PAREN:
            continue
        name = sql[token.start : token.end + 1].lower()
        before = tokens[position - 1].text.lower() if position else ""
        # A list of columns may also follow a name: `insert into t (a, b)`, `(select …) as t (a, b)`, `(…) t (a, b)`.
        is_no_function = (
            not re.fullmatch(r"[a-z_]\w*", name) or name in defined or before in ("as", ")", "into", "table")
        )
        if name == "values" and before in ("", "(", "from", "all"):
            yield "Redshift has VALUES in INSERT only: use SELECT … UNION ALL"
        if is_no_function or before == "." or name in WORDS - FUNCTIONS:
            continue
        if name in LEADER_NODE_ONLY:
            yield f"{name}() runs on the leader node of Redshift only, not on the rows of a table"
        elif name not in FUNCTIONS:
            yield f"{name}() is no function of Redshift"
        elif name == "concat" and arguments_of(tokens, position + 1) != 2:
            yield "concat() takes two arguments on Redshift: use ||"


def arguments_of(tokens: list[Token], opening: int) -> int:
    depth, commas = 0, 0
    for token in tokens[opening:]:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        commas += token.token_type == TokenType.COMMA and depth == 1
        if depth == 0:
            break
    return commas + 1


def syntax(node: exp.Expr) -> Iterator[str]:
    """Syntax of PostgreSQL that Redshift does not have."""
    absent: dict[type[exp.Expr], str] = {
        exp.Filter: "FILTER (WHERE …) on an aggregate: use a CASE inside of it",
        exp.Lateral: "LATERAL",
        exp.Unnest: "UNNEST",
        exp.TableSample: "TABLESAMPLE",
        exp.Fetch: "FETCH FIRST: use LIMIT",
        exp.Lock: "FOR UPDATE",
        exp.OnConflict: "ON CONFLICT",
        exp.Returning: "RETURNING",
        exp.NullSafeEQ: "IS NOT DISTINCT FROM",
        exp.NullSafeNEQ: "IS DISTINCT FROM",
        exp.ArrayContainsAll: "operators for arrays and jsonb",
        exp.ArrayOverlaps: "operators for arrays and jsonb",
    }
    if type(node) in absent:
        yield f"Redshift has no {absent[type(node)]}"
    elif isinstance(node, exp.Distinct) and node.args.get("on"):
        yield "Redshift has no SELECT DISTINCT ON: use row_number()"
    elif isinstance(node, exp.Array) and node.args.get("bracket_notation"):
        yield "Redshift has no ARRAY[…]"
    elif isinstance(node, exp.CTE) and node.args.get("materialized") is not None:
        yield "Redshift has no AS [NOT] MATERIALIZED in WITH"
    elif isinstance(node, exp.Select) and node.args.get("windows"):
        yield "Redshift has no WINDOW clause: write the window after OVER"


def types(node: exp.Expr) -> Iterator[str]:
    if isinstance(node, exp.DataType):
        name = node.sql("redshift").lower()
        base = node.sql("postgres").lower().partition("(")[0]
        if base in TYPES_OF_POSTGRESQL or name.partition("(")[0] in TYPES_OF_POSTGRESQL:
            yield f"Redshift has no type {base}"
        elif node.this == exp.DataType.Type.ARRAY or name.endswith("[]"):
            yield "Redshift has no array types"
        elif node.this == exp.DataType.Type.DECIMAL and not node.expressions:
            yield "numeric without a precision is numeric(18,0) on Redshift, which drops the decimals: write both"


def windows(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node, exp.Window):
        return
    frame = node.args.get("spec")
    function = node.this.this if isinstance(node.this, (exp.IgnoreNulls, exp.RespectNulls)) else node.this
    needs_frame = isinstance(function, exp.Func) and not isinstance(function, WITHOUT_FRAME)
    if needs_frame and node.args.get("order") and not frame:
        yield (
            f"{function.sql_name().lower()}() over a window with ORDER BY needs a frame on Redshift: "
            "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        )
    if frame and (frame.args.get("kind") or "").upper() in ("RANGE", "GROUPS"):
        yield "Redshift has frames of ROWS only"
    if frame and frame.args.get("exclude"):
        yield "Redshift has no EXCLUDE in a frame"


def untyped_columns(node: exp.Expr) -> Iterator[str]:
    """A text or NULL that a CTE or subquery hands on without a cast has the type unknown, which fits nothing.

    PostgreSQL 10 and later take it for text; Redshift says `failed to find conversion function from "unknown" to …`
    when it is compared, aggregated or stored. In a branch of a UNION the other branches decide.
    """
    if not isinstance(node, exp.Select) or not isinstance(node.parent, (exp.CTE, exp.Subquery)):
        return
    if isinstance(node.parent, exp.Subquery) and not isinstance(node.parent.parent, (exp.From, exp.Join)):
        return  # (select 'a') as a value, which is converted where it stands
    if node.parent.alias.startswith(("dbt_internal_", "_dbt_internal_")):
        return  # dbt's own unit test query, which hands them on to the client and nowhere else
    for column in node.expressions:
        value = column.unalias()
        if column.alias_or_name == "dbt_change_type":
            continue  # dbt's own query of a snapshot, which it stores in a temporary table
        if isinstance(value, exp.Null) or (isinstance(value, exp.Literal) and value.is_string):
            yield (
                f"column {column.alias_or_name} of {node.parent.alias or 'a subquery'} is of type unknown on Redshift: "
                f"cast {value.sql()} to a type"
            )


def columns_of_nulls(node: exp.Expr) -> Iterator[str]:
    """A column of a set operation that is a literal NULL in one of its parts, also with a cast, is VARCHAR on Redshift, both in a table that
    is made of it and when dbt asks for the columns of a model with a contract: https://github.com/dbt-labs/dbt-redshift/issues/659.
    """
    limit = node.args.get("limit") if isinstance(node, exp.Select) else None
    is_asked = isinstance(limit, exp.Limit) and limit.expression.sql() == "0"
    is_made = isinstance(node, exp.Create) and node.kind == "TABLE"
    if not (is_asked or is_made) or not node.find(exp.SetOperation):
        return
    if any(cte.alias.startswith("__dbt__cte__") for cte in node.find_all(exp.CTE)):
        return  # a unit test, whose inputs are full of such NULLs; those are not for a real Redshift
    for cast in node.find_all(exp.Cast):
        if isinstance(cast.this, exp.Null) and not cast.to.is_type(*exp.DataType.TEXT_TYPES):
            column = cast.parent.alias_or_name if cast.parent else ""
            yield f"{column or cast.sql()} is of type VARCHAR: a NULL of a set operation has no other type"


def late_binding_views(node: exp.Expr) -> Iterator[str]:
    """All tables of a view without schema binding have to be qualified by a schema."""
    if isinstance(node, exp.Create) and node.args.get("no_schema_binding"):
        defined = {cte.alias for cte in node.find_all(exp.CTE)}
        for table in node.expression.find_all(exp.Table):
            if not table.db and table.name not in defined:
                yield (
                    "All the relation names inside should be qualified when creating views WITH NO SCHEMA BINDING: "
                    f"{table.name}"
                )


def merges(node: exp.Expr) -> Iterator[str]:
    if isinstance(node, exp.Merge):
        matched = sorted(bool(when.args.get("matched")) for when in node.args["whens"].expressions)
        if matched != [False, True] or any(
            when.args.get("condition") for when in node.args["whens"].expressions
        ):
            yield "MERGE has one WHEN MATCHED and one WHEN NOT MATCHED on Redshift, both without a condition"


CHECKS = (syntax, types, windows, untyped_columns, columns_of_nulls, late_binding_views, merges)
