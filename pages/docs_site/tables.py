"""A page for each table of the docs site: what a row of it is, its columns, what it is joined with, made from and used by, how it is tested.

    tables/fact_movie_analytics.html, beside index.html

Sources, seeds and models, as dbt knows them (manifest.json), with the types that the warehouse has (catalog.json).
"""

from typing import Any

from pages.docs_site.columns import Origin, origins
from pages.docs_site.relations import relations
from pages.manifest import key_of, tests_of


def table_pages(manifest: dict, catalog: dict, by_layer: dict[str, list[dict]]) -> list[dict[str, Any]]:
    """What each page tells, in the order of the layers: all that layers() says of the table; whether it is a mart (is_public), relation,
    key, columns, children, tests. A column has name, type, description, the table that it joins, and its origin (_linked)."""
    types = {
        unique_id: {name.lower(): column["type"].lower() for name, column in table["columns"].items()}
        for unique_id, table in (catalog["nodes"] | catalog["sources"]).items()
    }
    nodes = manifest["nodes"] | manifest["sources"]
    drawn = [node for found in by_layer.values() for node in found]
    joins = {
        (relation.table, relation.column): nodes[relation.other]["name"] for relation in relations(manifest)
    }
    pages = []
    for table in drawn:
        if table["layer"] == "exposure":
            continue
        node, tests = nodes[table["id"]], tests_of(manifest, table["id"])
        come_from = origins(manifest, table["id"], types)
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
                        "origin": _linked(come_from.get(name)),
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


def _linked(origin: Origin | None) -> dict[str, Any]:
    """How it comes by its values, and {text, page} of each column or table; empty if that is not known."""
    if origin is None:
        return {}
    return {
        "how": "Comes from" if origin.values else "Depends on",
        "of": [
            {
                "text": name,
                "page": f"{name.removeprefix('rows of ')}.html"
                if name.startswith("rows of ")
                else "{}.html#{}".format(*name.split(".")),
            }
            for name in origin.values or origin.decided_by
        ],
    }
