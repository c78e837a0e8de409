"""What the search of the front page finds: every column, table, metric, word of the glossary, page of the report and test, with the place that says what it
means; and what people say for them."""

import json
import re
from pathlib import Path

from markdown_it import MarkdownIt

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
LONGEST = 200


def search_index(manifest: dict, tables: list[dict], report: str, overview: str) -> str:
    """As JSON that HTML cannot take for markup: `entries`, [kind, name, table or "", description, address] of each, those of marts first; and
    `otherWords`, [word, [what it is called here]]. `report` is the report's address, if there is one."""
    tables = sorted(tables, key=lambda table: not table["is_public"])
    metrics = sorted(manifest["metrics"].values(), key=lambda metric: metric["name"])
    entries = [
        *(
            ["column", column["name"], table["name"], column["description"], f"{table['page']}#{column['name']}"]
            for table in tables
            for column in table["columns"]
        ),
        *(["table", table["name"], "", table["description"], table["page"]] for table in tables),
        *(["metric", metric["name"], "", metric["description"], f"#{metric['unique_id']}"] for metric in metrics),
        *(["word", term, "", meaning, "#glossary"] for term, meaning in glossary(overview)),
        *(["page", page["label"], "", page["description"], _page(page, report)] for page in manifest["exposures"].values()),
        *(
            ["test", test["name"], table["name"], test["description"], f"{table['page']}#test-{test['name']}"]
            for table in tables
            for test in table["tests"]
        ),
        # Those that are queries of their own are in dbt's docs alone.
        *(
            ["test", test["name"], "", test["description"], f"dbt_docs.html#!/test/{test['unique_id']}"]
            for test in manifest["nodes"].values()
            if test["resource_type"] == "test" and not test.get("attached_node")
        ),
    ]  # fmt: skip
    short = [
        [kind, name, place, _plain(description), address]
        for kind, name, place, description, address in entries
    ]
    index = {"entries": short, "otherWords": other_words(overview)}
    return json.dumps(index, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _page(exposure: dict, report: str) -> str:
    """A page of the report is called as its exposure; without a report, what dbt knows of it."""
    if not report:
        return f"dbt_docs.html#!/exposure/{exposure['unique_id']}"
    return f"{report.rpartition('/')[0]}/{exposure['name'].removeprefix('report_')}.html"


def other_words(overview: str) -> list[tuple[str, list[str]]]:
    """(word, what it is called here) of the table below the heading Other words."""
    return [
        (word, [name.strip("`") for name in here.split(", ")])
        for words, here in _table(overview, "Other words")
        for word in words.split(", ")
    ]


def glossary(overview: str) -> list[tuple[str, str]]:
    """(term, meaning) of the table below the heading Glossary."""
    return _table(overview, "Glossary")


def _table(overview: str, heading: str) -> list[tuple[str, str]]:
    _, _, section = overview.partition(f"## {heading}\n")
    rows = re.findall(r"^\| *(.+?) *\| *(.+?) *\|$", section.split("\n## ")[0], re.MULTILINE)
    return [(left, right) for left, right in rows[2:]]


def _plain(markdown: str) -> str:
    """Its text without marks, cut at a word."""
    tokens = MarkdownIt("commonmark").parse(markdown)
    text = " ".join(
        child.content
        for token in tokens
        for child in token.children or ()
        if child.type in ("text", "code_inline")
    )
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rsplit(' ', 1)[0]} …"
