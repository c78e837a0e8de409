"""The docs site: a few HTML files that open from disk and ask no network for anything.

    python -m pages.docs_site.build dbt_project/target site [report/index.html]

Has `dbt docs generate --static` write into the first folder what it knows of the project and of the warehouse of
DBT_TARGET, and writes into the second, with a link to the report where that is given:
index.html (search, grains, keys, caveats, relations, diagram, tables, metrics, personal data), a page for each table in tables/, dbt_docs.html (dbt's own
pages) and lineage.html (relations and column lineage to explore, by dbdocs).
"""

import json
import re
import shutil
import sys
from contextlib import chdir
from pathlib import Path

from dbt.cli.main import dbtRunner
from markdown_it import MarkdownIt

from pages.docs_site.architecture import HEADINGS, architecture_svg, layers
from pages.docs_site.lineage import lineage_page
from pages.docs_site.relations import relations_svg
from pages.docs_site.search import SCRIPT, search_index
from pages.docs_site.tables import table_pages
from pages.look.render import render, script_policy

PROJECT = Path(__file__).parents[2] / "dbt_project"
# Into the pages of others, over the left lower corner: nothing else on them leads back, or to a diagram of the relations that can be read.
BACK = (
    '<nav aria-label="Movie analytics" style="position:fixed;left:8px;bottom:8px;z-index:9999;padding:4px 10px;border-radius:4px;'
    'font:14px sans-serif;background:#1c2530"><a href="index.html" style="color:#fff">Movie analytics: docs</a> '
    '<a href="index.html#relations" style="color:#fff;margin-left:10px">Relations</a></nav>'
)
# dbt's and dbdocs' pages run their own scripts, and load nothing from anywhere: the browser stops a page that tries.
POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline' data:; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:; connect-src data:\">"
)


def _linked(renderer, tokens, place, options, environment) -> str:
    """The name of a table leads to its page."""
    code = renderer.code_inline(tokens, place, options, environment)
    page = environment.get("pages", {}).get(tokens[place].content)
    return f'<a href="{page}">{code}</a>' if page else code


MARKDOWN = MarkdownIt("commonmark").enable("table")
MARKDOWN.add_render_rule("code_inline", _linked)
FILTERS = {"markdown": MARKDOWN.render, "markdown_inline": MARKDOWN.renderInline}
# The columns' config.meta.personal_data, and what each means.
PERSONAL_DATA = {
    "pseudonym": "HMAC-SHA-256 of the clear value; who has the key can find a known value again",
    "identifier": "number that identifies a person in the shop's own systems",
    "derived": "made from a person's number or equal on all of their rows: it leads back to them, or links their rows",
}


def main(target: str, site: str, report: str = "") -> None:
    folder = Path(target).resolve()
    with chdir(PROJECT):
        generated = dbtRunner().invoke(["--quiet", "docs", "generate", "--static"], target_path=str(folder))
    if not generated.success:
        sys.exit(f"error: dbt could not read project and warehouse: {generated.exception or 'see above'}")
    build(folder, Path(site), report)


def build(target: Path, site: Path, report: str = "") -> None:
    """From what dbt has generated; `report` is the report's address beside the index."""
    manifest = json.loads((target / "manifest.json").read_text())
    site.mkdir(parents=True, exist_ok=True)
    (site / "dbt_docs.html").write_text(_dbt_page((target / "static_index.html").read_text()))
    (site / "lineage.html").write_text(_with_policy(lineage_page(target)))
    by_layer = layers(manifest)
    tables = table_pages(manifest, json.loads((target / "catalog.json").read_text()), by_layer)
    (site / "index.html").write_text(_index_page(manifest, by_layer, tables, report))
    _write_table_pages(site / "tables", tables, _built(manifest))


def _dbt_page(html: str) -> str:
    """dbt's page without what it asks its folder for: a favicon and icons whose address is not filled in yet."""
    html = html.replace('xlink:href="{{', 'ng-attr-xlink:href="{{')
    html = html.replace("${require('./assets/favicons/favicon.ico')}", "data:,")
    return _with_policy(html)


def _with_policy(html: str) -> str:
    guarded, found = re.subn(r'<meta charset="utf-8" ?/?>', lambda head: head[0] + POLICY, html, count=1)
    if not found:
        raise RuntimeError("dbt's docs page has no <meta charset>: this dbt writes another head; see POLICY")
    named = re.sub("<title>.*?</title>", "<title>Movie analytics: docs</title>", guarded, count=1)
    before, body_end, after = named.rpartition("</body>")
    if not body_end:
        raise RuntimeError("a page has no </body>: there is no place for the link back")
    return f"{before}{BACK}{body_end}{after}"


def _write_table_pages(folder: Path, tables: list[dict], built: str) -> None:
    """In place of all that were there: no page of a table that is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    template = Path(__file__).with_name("table.html.jinja")
    for table in tables:
        page = render(template, filters=FILTERS, table=table, built=built)
        (folder / f"{table['name']}.html").write_text(page)


def _built(manifest: dict) -> str:
    return manifest["metadata"]["generated_at"][:16].replace("T", " ")


def _index_page(manifest: dict, by_layer: dict[str, list[dict]], tables: list[dict], report: str) -> str:
    project = manifest["metadata"]["project_name"]
    overview = manifest["docs"][f"doc.{project}.__overview__"]["block_contents"]
    metrics = sorted(manifest["metrics"].values(), key=lambda metric: metric["name"])
    pages = {table["name"]: table["page"] for table in tables}
    lead, *sections = re.split(r"^## (.+)$", overview, flags=re.MULTILINE)
    return render(
        Path(__file__).with_name("index.html.jinja"),
        filters=FILTERS | {"markdown": lambda text: MARKDOWN.render(text, {"pages": pages})},
        lead=lead,
        sections=list(zip(sections[::2], sections[1::2], strict=True)),
        search_index=search_index(manifest, tables, report, overview),
        search_script=SCRIPT,
        search_policy=script_policy(SCRIPT),
        relations=relations_svg(manifest, {table["id"]: table["page"] for table in tables}),
        diagram=architecture_svg(by_layer),
        layers=by_layer,
        headings=HEADINGS,
        metrics=metrics,
        personal_data=_personal_data(manifest),
        meanings=PERSONAL_DATA,
        dbt_version=manifest["metadata"]["dbt_version"],
        built=_built(manifest),
        report=report,
    )


def _personal_data(manifest: dict) -> list[dict]:
    """Each column that holds personal data: its kind, and the tables that have it."""
    tables: dict[tuple[str, str], list[dict]] = {}
    for node in (*manifest["sources"].values(), *manifest["nodes"].values()):
        for column in node.get("columns", {}).values():
            if kind := column["config"]["meta"].get("personal_data"):
                tables.setdefault((kind, column["name"]), []).append(node)
    return [
        {"kind": kind, "column": column, "tables": sorted(nodes, key=lambda node: node["name"])}
        for (kind, column), nodes in sorted(tables.items())
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
