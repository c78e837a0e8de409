"""The architecture as a picture (SVG), drawn from dbt's manifest: sources, layers, and what is made of them."""

from html import escape
from pathlib import Path
from statistics import mean

# From left to right. A folder of models that is not named here is below the customers.
COLUMNS = (
    ("source", "seed"),
    ("staging",),
    ("intermediate",),
    ("dimensional",),
    ("preparation",),
    ("customers",),
    ("exposure",),
)
HEADINGS = {
    "source": "Sources",
    "seed": "Seeds",
    "preparation": "Prepared for customers",
    "exposure": "Used by",
}
BOX, STEP, GAP, TOP = 26, 34, 90, 10


def layers(manifest: dict) -> dict[str, list[dict]]:
    """Each layer's nodes, from the sources to the exposures; a node has name, description, color, parents and the
    addresses of its page and of dbt's (an exposure has dbt's only)."""
    found: dict[str, list[dict]] = {}
    known: dict[str, dict] = {}
    for layer, node in _nodes(manifest):
        known[node["unique_id"]] = {
            "id": node["unique_id"],
            "name": node["name"],
            "layer": layer,
            "description": node["description"],
            "color": (node["config"].get("docs") or {}).get("node_color") or "",
            "dbt_page": (dbt_page := f"dbt_docs.html#!/{node['resource_type']}/{node['unique_id']}"),
            "page": dbt_page if layer == "exposure" else f"tables/{node['name']}.html",
            "parents": node.get("depends_on", {}).get("nodes", []),
        }
    for node in known.values():
        node["parents"] = [known[parent] for parent in dict.fromkeys(node["parents"]) if parent in known]
        found.setdefault(node["layer"], []).append(node)
    order = [layer for column in _columns(found) for layer in column]
    return {layer: sorted(found[layer], key=lambda node: node["name"]) for layer in order}


def architecture_svg(by_layer: dict[str, list[dict]]) -> str:
    """The picture of what layers() has found."""
    columns = [
        [(HEADINGS.get(layer, layer.capitalize()), list(by_layer[layer])) for layer in column]
        for column in _columns(by_layer)
    ]
    _untangle(columns)
    height: float = 0
    left, boxes, places = 0, [], {}
    for groups in columns:
        width = 24 + 7 * max(len(node["name"]) for _, nodes in groups for node in nodes)
        y: float = TOP
        for heading, nodes in groups:
            boxes.append(f'<text class="layer" x="{left}" y="{y + 16}">{escape(heading)}</text>')
            y += STEP
            for node in nodes:
                boxes.append(_box(node, left, y, width))
                places[node["id"]] = (left, y + BOX / 2, width)
                y += STEP
            y += STEP / 2
        height = max(height, y)
        left += width + GAP
    edges = [
        _edge(places[parent["id"]], places[node["id"]])
        for groups in columns for _, nodes in groups for node in nodes for parent in node["parents"]
    ]  # fmt: skip
    # Room on the right for the bends between tables of the last column.
    width = left - GAP + 40
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="group" aria-label="How the tables are built, '
        'from the sources on the left to what uses them on the right; the tables below say the same in words">'
        '<defs><marker id="tip" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
        f'<path class="tip" d="M0 0L6 3L0 6z"/></marker></defs>{"".join(edges + boxes)}</svg>'
    )


def _nodes(manifest: dict):
    """(layer, node) of everything that is drawn."""
    for node in (*manifest["sources"].values(), *manifest["nodes"].values(), *manifest["exposures"].values()):
        if node["resource_type"] == "model":
            layer, *folders = Path(node["path"]).parts[:-1]
            # customers/intermediate
            yield "preparation" if folders else layer, node
        elif node["resource_type"] in ("source", "seed", "snapshot", "exposure"):
            yield node["resource_type"], node


def _columns(found) -> list[list[str]]:
    """The layers that there are, column by column."""
    known = {layer for column in COLUMNS for layer in column}
    others = sorted(found.keys() - known)
    columns = [
        [layer for layer in (*column, *(others if column == ("customers",) else ())) if layer in found]
        for column in COLUMNS
    ]
    return [column for column in columns if column]


def _untangle(columns) -> None:
    """Put each node at the mean height of its neighbours, to the right and back: the usual way to have few crossings."""
    everything = [node for groups in columns for _, nodes in groups for node in nodes]
    neighbours: dict[str, list[str]] = {node["id"]: [] for node in everything}
    for node in everything:
        for parent in node["parents"]:
            neighbours[node["id"]].append(parent["id"])
            neighbours[parent["id"]].append(node["id"])
    for _ in range(4):
        for groups in (*columns, *reversed(columns)):
            heights = {
                node["id"]: height
                for column in columns
                for height, node in enumerate(node for _, nodes in column for node in nodes)
            }
            means = {
                node: mean(heights[near] for near in (*nearby, node)) for node, nearby in neighbours.items()
            }
            for _, nodes in groups:
                nodes.sort(key=lambda node, means=means: means[node["id"]])


def _box(node: dict, x: float, y: float, width: float) -> str:
    swatch = f' style="fill:{escape(node["color"])}"' if node["color"] else ""
    return (
        f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{BOX}" rx="4"/>'
        f'<rect class="swatch" x="{x}" y="{y}" width="6" height="{BOX}" rx="2"{swatch}/>'
        f'<a href="{escape(node["page"])}"><text x="{x + 14}" y="{y + 17.5}">{escape(node["name"])}</text></a>'
    )


def _edge(start: tuple, end: tuple) -> str:
    """From the right side of one box to the left side of the other; within a column around its right side."""
    (left, y, width), (to_left, to_y, to_width) = start, end
    x = left + width
    if left == to_left:
        bend, to_x = min(60, 14 + abs(to_y - y) / 5), to_left + to_width
        return f'<path class="edge" d="M{x} {y}C{x + bend} {y} {to_x + bend} {to_y} {to_x} {to_y}"/>'
    half = (to_left - x) / 2
    return f'<path class="edge" d="M{x} {y}C{x + half} {y} {to_left - half} {to_y} {to_left} {to_y}"/>'
