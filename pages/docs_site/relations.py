"""How tables are joined: by the project's tests of relationships, and by the entities of its semantic models, which name the keys of people and the days
that a classifier judged."""

from collections import Counter
from html import escape
from typing import Any, NamedTuple

from pages.manifest import key_of, kind_of, tests_of

# In pixels; letters of 12 are so wide.
CHARACTER, ROW, HEAD, GAP, STEP = 7.3, 22, 28, 96, 18


class Relation(NamedTuple):
    """Rows of `table` have each one of `other`, by unique_id, where the columns are equal. `is_one`: at most one of them has."""

    table: str
    column: str
    other: str
    other_column: str
    is_one: bool


def relations(manifest: dict[str, Any]) -> list[Relation]:
    """In the order of the tables' names; each once, however often it is declared."""
    found = {}
    for test in manifest["nodes"].values():
        if kind_of(test) == "relationships":
            (other,) = set(test["depends_on"]["nodes"]) - {test["attached_node"]}
            found[test["attached_node"], test["column_name"]] = (
                other,
                test["test_metadata"]["kwargs"]["field"],
            )
    models = [
        (f"model.{manifest['metadata']['project_name']}.{model['node_relation']['alias']}", model["entities"])
        for model in manifest["semantic_models"].values()
    ]
    keys = {
        entity["name"]: (table, entity["expr"])
        for table, entities in models
        for entity in entities
        if entity["type"] == "primary"
    }
    for table, entities in models:
        for entity in entities:
            if entity["type"] != "primary" and entity["name"] in keys:
                found.setdefault((table, entity["expr"]), keys[entity["name"]])
    return [
        Relation(table, column, *other, is_one=key_of(tests_of(manifest, table)) == [column])
        for (table, column), other in sorted(found.items())
    ]


def relations_svg(manifest: dict[str, Any], pages: dict[str, str]) -> str:
    """The public tables as a picture: the one with most relations in the middle, what only it is joined to on the left, on the right what others are
    joined to as well, and these. `pages` has the address of each table's page. Tables that no relation names are not drawn."""
    drawn = [
        relation for relation in relations(manifest)
        if all(manifest["nodes"].get(table, {}).get("access") == "public" for table in (relation.table, relation.other))
    ]  # fmt: skip
    if not drawn:
        return ""
    ((hub, _),) = Counter(relation.table for relation in drawn).most_common(1)
    of_hub = [relation.other for relation in drawn if relation.table == hub]
    others = [relation for relation in drawn if relation.table != hub]
    shared = {relation.other for relation in others}
    columns = [
        [table for table in of_hub if table not in shared],
        [hub],
        sorted(shared),
        sorted({relation.table for relation in others} - shared),
    ]
    rows = {table: _rows(manifest, table, drawn) for column in columns for table in column}
    heights = [
        sum(HEAD + ROW * len(rows[table]) + STEP for table in column) - STEP for column in columns if column
    ]
    tallest, left, boxes = max(heights), 8.0, []
    places: dict[tuple[str, str], tuple[float, float, float]] = {}
    for column in filter(None, columns):
        width = 24 + CHARACTER * max(
            len(text)
            for table in column
            for text in (manifest["nodes"][table]["name"], *(f"{name}  key" for name in rows[table]))
        )
        # In the middle of the height.
        top = 8 + (tallest - sum(HEAD + ROW * len(rows[table]) + STEP for table in column) + STEP) / 2
        for table in column:
            boxes.append(_box(manifest["nodes"][table], rows[table], pages[table], left, top, width))
            for number, name in enumerate(rows[table]):
                places[table, name] = (left, top + HEAD + ROW * (number + 0.5), width)
            top += HEAD + ROW * len(rows[table]) + STEP
        left += width + GAP
    lines = [
        _line(
            places[relation.table, relation.column],
            places[relation.other, relation.other_column],
            relation.is_one,
        )
        for relation in drawn
    ]
    width, height = left - GAP + 8, tallest + 16
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="group" '
        f'aria-label="Relations of the tables: each table of the list below with its keys">{"".join(lines + boxes)}</svg>'
    )


def _rows(manifest: dict[str, Any], table: str, drawn: list[Relation]) -> dict[str, bool]:
    """The columns of a table that make its key or a relation, its key first, and whether a column is of the key."""
    key = key_of(tests_of(manifest, table))
    joined = [relation.column for relation in drawn if relation.table == table]
    asked = [relation.other_column for relation in drawn if relation.other == table]
    return {name: name in key for name in dict.fromkeys([*key, *asked, *joined])}


def _box(
    node: dict[str, Any], rows: dict[str, bool], page: str, left: float, top: float, width: float
) -> str:
    height = HEAD + ROW * len(rows)
    color = escape((node["config"].get("docs") or {}).get("node_color") or "")
    parts = [
        f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height}" rx="4"/>',
        f'<rect class="swatch" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="5" rx="2"'
        + (f' style="fill:{color}"/>' if color else "/>"),
        f'<a href="{escape(page)}"><text class="name" x="{left + 10:.1f}" y="{top + 21:.1f}">{escape(node["name"])}</text></a>',
    ]
    for number, (name, is_key) in enumerate(rows.items()):
        y = top + HEAD + ROW * number + 15
        parts.append(f'<text x="{left + 10:.1f}" y="{y:.1f}">{escape(name)}</text>')
        if is_key:
            parts.append(
                f'<text class="mark" text-anchor="end" x="{left + width - 8:.1f}" y="{y:.1f}">key</text>'
            )
    return "".join(parts)


def _line(start: tuple[float, float, float], end: tuple[float, float, float], is_one: bool) -> str:
    """From the side of the one table to the side of the other that are nearest, with how many rows there are at each end."""
    (left, y, width), (other_left, other_y, other_width) = start, end
    way = 1 if left < other_left else -1
    x, other_x = (left + width, other_left) if way > 0 else (left, other_left + other_width)
    half = (other_x - x) / 2
    return (
        f'<path class="edge plain" d="M{x:.1f} {y:.1f}C{x + half:.1f} {y:.1f} {other_x - half:.1f} {other_y:.1f} {other_x:.1f} {other_y:.1f}"/>'
        + "".join(
            f'<text class="mark" text-anchor="middle" x="{place:.1f}" y="{height - 5:.1f}">{count}</text>'
            for place, height, count in (
                (x + 12 * way, y, "1" if is_one else "n"),
                (other_x - 12 * way, other_y, "1"),
            )
        )
    )
