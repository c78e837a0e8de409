"""A page for each table of the docs site: what a row of it is, its columns, what it is joined with, made from and used by, how it is tested.

    tables/fact_movie_analytics.html, beside index.html

Sources, seeds and models, as dbt knows them (manifest.json), with the types that the warehouse has (catalog.json).
"""

from typing import Any

from pages.docs_site.architecture import layers

KEYS = ("unique", "unique_together")


def table_pages(manifest: dict, catalog: dict) -> list[dict[str, Any]]:
    """What each page tells, in the order of the layers: name, layer, color, description, is_public (a mart), key, columns, parents, children, tests, and the
    addresses of dbt's page and of the column lineage. A column has name, type, description and the table that it joins."""
    types = {
        unique_id: {name.lower(): column["type"].lower() for name, column in table["columns"].items()}
        for unique_id, table in (catalog["nodes"] | catalog["sources"]).items()
    }
    nodes = manifest["nodes"] | manifest["sources"]
    drawn = [node for found in layers(manifest).values() for node in found]
    tests: dict[str, list[dict]] = {}
    for test in manifest["nodes"].values():
        if test["resource_type"] == "test" and test.get("attached_node"):
            tests.setdefault(test["attached_node"], []).append(test)
    pages = []
    for table in drawn:
        if table["layer"] == "exposure":
            continue
        node, of_table = nodes[table["id"]], sorted(tests.get(table["id"], []), key=lambda test: test["name"])
        joins = {
            test["column_name"]: nodes[parent]["name"]
            for test in of_table
            if _kind(test) == "relationships"
            for parent in test["depends_on"]["nodes"]
            if parent != table["id"]
        }
        pages.append(
            table
            | {
                "is_public": node.get("access") == "public",
                "relation": f"{node['schema']}.{node['name']}",
                "key": next(map(_columns_of, filter(_is_key, of_table)), []),
                "columns": [
                    {
                        "name": name,
                        "type": types.get(table["id"], {}).get(name.lower()) or column["data_type"] or "",
                        "description": column["description"],
                        "joins": joins.get(name),
                    }
                    for name, column in node["columns"].items()
                ],
                "children": [
                    child for child in drawn if table["id"] in {parent["id"] for parent in child["parents"]}
                ],
                "tests": of_table,
            }
        )
    return pages


def _is_key(test: dict) -> bool:
    return _kind(test) in KEYS


def _kind(test: dict) -> str | None:
    """None of a test that is a query of its own."""
    return (test.get("test_metadata") or {}).get("name")


def _columns_of(test: dict) -> list[str]:
    return test["test_metadata"]["kwargs"].get("columns") or [test["column_name"]]
