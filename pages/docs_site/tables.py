"""A page for each table of the docs site: what a row of it is, its columns, what it is joined with, made from and used by, how it is tested.

    tables/fact_movie_analytics.html, beside index.html

Sources, seeds and models, as dbt knows them (manifest.json), with the types that the warehouse has (catalog.json).
"""

from typing import Any

from pages.docs_site.architecture import layers
from pages.manifest import key_of, kind_of, tests_of


def table_pages(manifest: dict, catalog: dict) -> list[dict[str, Any]]:
    """What each page tells, in the order of the layers: all that layers() says of the table; whether it is a mart (is_public), relation,
    key, columns, children, tests. A column has name, type, description and the table that it joins."""
    types = {
        unique_id: {name.lower(): column["type"].lower() for name, column in table["columns"].items()}
        for unique_id, table in (catalog["nodes"] | catalog["sources"]).items()
    }
    nodes = manifest["nodes"] | manifest["sources"]
    drawn = [node for found in layers(manifest).values() for node in found]
    pages = []
    for table in drawn:
        if table["layer"] == "exposure":
            continue
        node, tests = nodes[table["id"]], tests_of(manifest, table["id"])
        joins = {
            test["column_name"]: nodes[parent]["name"]
            for test in tests
            if kind_of(test) == "relationships"
            for parent in test["depends_on"]["nodes"]
            if parent != table["id"]
        }
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
                        "joins": joins.get(name),
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
