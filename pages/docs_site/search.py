"""What the search of the front page finds: every column, table, metric and word of the glossary, with the place that says what it means."""

import json
import re
from pathlib import Path

from markdown_it import MarkdownIt

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
LONGEST = 200


def search_index(tables: list[dict], metrics: list[dict], overview: str) -> str:
    """As JSON that HTML cannot take for markup: [kind, name, table or "", description, address] of each, those of marts first."""
    tables = sorted(tables, key=lambda table: not table["is_public"])
    columns = [
        ["column", column["name"], table["name"], column["description"], f"{table['page']}#{column['name']}"]
        for table in tables
        for column in table["columns"]
    ]
    entries = [
        *columns,
        *(["table", table["name"], "", table["description"], table["page"]] for table in tables),
        *(
            ["metric", metric["name"], "", metric["description"], f"#{metric['unique_id']}"]
            for metric in metrics
        ),
        *(["word", term, "", meaning, "#glossary"] for term, meaning in glossary(overview)),
    ]
    short = [
        [kind, name, place, _plain(description), address]
        for kind, name, place, description, address in entries
    ]
    return json.dumps(short, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def glossary(overview: str) -> list[tuple[str, str]]:
    """(term, meaning) of the table below the heading Glossary."""
    _, _, section = overview.partition("## Glossary")
    rows = re.findall(r"^\| *(.+?) *\| *(.+?) *\|$", section.split("\n## ")[0], re.MULTILINE)
    return [(term, meaning) for term, meaning in rows[2:]]


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
