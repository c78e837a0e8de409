"""The pages that dbdocs builds from dbt's artifacts, folded into one HTML file that opens from disk.

dbdocs wants a web server: its page fetches its data and loads JavaScript modules, and browsers do neither from disk. Here the
data and the modules become data: addresses in the page itself.
"""

import base64
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# dbdocs 1.7.0 calls sqlglot's Scope.set_operation_scopes by the name that it had before sqlglot 30.
DBDOCS = """
from dbdocs.main import main
from sqlglot.optimizer.scope import Scope

Scope.union_scopes = property(lambda scope: scope.set_operation_scopes)
main()
"""
# Its button of a repository that is not set, and a footer that calls its author the author of the docs.
STYLE = "<style>[hidden], .site-footer { display: none !important }</style>"
HEALTH_DIMENSIONS = ["documentation", "governance", "modeling", "performance", "structure", "testing"]


def lineage_page(target: Path) -> str:
    """The page for the artifacts in dbt's target folder."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = _generate(target.resolve(), Path(folder))
        return _one_file(bundle)


def _generate(target: Path, folder: Path) -> Path:
    """Run dbdocs; returns the folder with its site."""
    manifest = json.loads((target / "manifest.json").read_text())
    project = manifest["metadata"]["project_name"]
    (folder / "overview.md").write_text(manifest["docs"][f"doc.{project}.__overview__"]["block_contents"])
    (folder / "manifest.json").write_text(json.dumps(_as_dbdocs_reads_it(manifest)))
    (folder / "catalog.json").write_text((target / "catalog.json").read_text())
    marts = {node["schema"] for node in manifest["nodes"].values() if node["config"].get("schema") == "marts"}
    config = {
        "target_dir": ".",
        "site_name": "Movie analytics",
        "project_name": "Movie analytics",
        "site_description": "Tables, their relations and the origin of each column",
        "readme": "overview.md",
        "dbterd": {"select": [f"schema:{schema}" for schema in sorted(marts)]},
        # The project's own tests keep its own rules; dbdocs' have other names in mind.
        "health": {"disable_dimensions": HEALTH_DIMENSIONS},
        # The defaults point to dbdocs' author and repository.
        "site_url": "",
        "site_author": "",
        "repo_name": "",
        "repo_url": "",
        "show_buy_me_a_coffee": False,
        "show_about": False,
    }
    (folder / "dbdocs.yml").write_text(json.dumps(config))
    generated = subprocess.run(
        [sys.executable, "-c", DBDOCS, "generate", "--output-dir", "site"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if generated.returncode:
        sys.exit(f"error: dbdocs failed:\n{generated.stdout}{generated.stderr}")
    return folder / "site"


def _as_dbdocs_reads_it(manifest: dict) -> dict:
    """It knows a test of a relation by the word in its id, which our names lack; hooks are no tables, and the report's
    questions would be the first thing in its list."""
    nodes = {}
    for unique_id, node in manifest["nodes"].items():
        if (node.get("test_metadata") or {}).get("name") == "relationships":
            unique_id = node["unique_id"] = unique_id.replace("test.", "test.relationships.", 1)
        if node["resource_type"] not in ("operation", "analysis"):
            nodes[unique_id] = node
    return {**manifest, "nodes": nodes}


def _one_file(bundle: Path) -> str:
    def text(path: str) -> str:
        return (bundle / path).read_text()

    icon = _address("image/svg+xml", (bundle / "assets/favicon.svg").read_bytes())
    modules = {file.stem: file.read_text() for file in (bundle / "assets/js").glob("*/*.js")}
    payload = _address("application/gzip", (bundle / "dbdocs-data.json.gz").read_bytes())
    modules["data"] = modules["data"].replace("dbdocs-data.json.gz", payload)
    imports = {name: _address("text/javascript", _by_name(code).encode()) for name, code in modules.items()}

    html = text("index.html").replace("assets/favicon.svg", icon).replace("</head>", f"{STYLE}</head>")
    html = re.sub(
        r'<link rel="stylesheet" href="(.*?)" />', lambda link: f"<style>{text(link[1])}</style>", html
    )
    html = re.sub(
        r'<script src="(.*?)"></script>',
        lambda script: "<script>" + text(script[1]).replace("</script", "<\\/script") + "</script>",
        html,
    )
    return html.replace(
        '<script type="module" src="assets/js/app.js"></script>',
        f'<script type="importmap">{json.dumps({"imports": imports})}</script>'
        f'<script type="module">{_by_name(text("assets/js/app.js"))}</script>',
    )


def _by_name(module: str) -> str:
    """The module with its imports by bare name, which the import map resolves: a data: address has no neighbours."""
    return re.sub(r'from "\.{1,2}/(?:\w+/)?(\w+)\.js"', r'from "\1"', module)


def _address(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
