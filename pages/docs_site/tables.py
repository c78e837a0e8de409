"""A page for each table of the docs site: what a row of it is, its columns, what it is joined with, made from and used by, how it is tested.

    tables/fact_movie_analytics.html, beside index.html

Sources, seeds and models, as dbt knows them (manifest.json), with the types that the warehouse has (catalog.json).
"""

from typing import Any

from pages.docs_site.columns import origins, ways_down
from pages.docs_site.relations import relations
from pages.manifest import key_of, tests_of


def table_pages(manifest: dict, catalog: dict, by_layer: dict[str, list[dict]]) -> list[dict[str, Any]]:
    """What each page tells, in the order of the layers: all that layers() says of the table; whether it is a mart (is_public), relation,
    key, columns, children, tests. A column has name, type, description, the table that it joins, whether its values come from others or are only
    decided by them (how), what those are, step by step, each as {text, page}, and which of these are in sources and seeds."""
    types = {
        unique_id: {name.lower(): column["type"].lower() for name, column in table["columns"].items()}
        for unique_id, table in (catalog["nodes"] | catalog["sources"]).items()
    }
    nodes = manifest["nodes"] | manifest["sources"]
    drawn = [node for found in by_layer.values() for node in found]
    joins = {
        (relation.table, relation.column): nodes[relation.other]["name"] for relation in relations(manifest)
    }
    tables = [table for table in drawn if table["layer"] != "exposure"]
    come_from = {table["name"]: origins(manifest, table["id"], types) for table in tables}
    ways = ways_down(come_from)
    outside = {table["name"] for table in tables if table["layer"] in ("source", "seed")}
    pages = []
    for table in tables:
        node, tests = nodes[table["id"]], tests_of(manifest, table["id"])
        pages.append(
            table
            | {
                "is_public": node.get("access") == "public",
                "relation": f"{node['schema']}.{node['name']}",
                "key": key_of(tests),
                "columns": [
                    {
                        "name": name,
                        "type": types.get(table["id"], {}).get(name.lower()) or column["data_type"] or "",
                        "description": column["description"],
                        "joins": joins.get((table["id"], name)),
                        "how": "Comes from"
                        if (origin := come_from[table["name"]].get(name)) and origin.values
                        else "Depends on",
                        "sources": [
                            end
                            for step in ways.get((table["name"], name), [])
                            for end in step
                            if _table(end) in outside
                        ],
                        "steps": [
                            [_linked(end) for end in step] for step in ways.get((table["name"], name), [])
                        ],
                    }
                    for name, column in node["columns"].items()
                ],
                "children": [
                    child for child in drawn if table["id"] in {parent["id"] for parent in child["parents"]}
                ],
                "tests": tests,
            }
        )
    return pages


def _table(end: str) -> str:
    """The table of "table.column" or "rows of table"."""
    return end.removeprefix("rows of ").partition(".")[0]


def _linked(end: str) -> dict[str, str]:
    return {"text": end, "page": f"{_table(end)}.html#{end.partition('.')[2]}".removesuffix("#")}
