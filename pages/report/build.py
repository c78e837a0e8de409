"""The report: a few HTML pages with what the warehouse says, that open from disk and ask no network for anything.

    python -m pages.report.build dbt_project/target site/report

Asks the warehouse of DBT_TARGET through dbt, which leaves its manifest in the first folder, and writes a page for each of
pages/report/pages into the second. The same warehouse gives the same pages: no clock is read.
"""

import re
import sys
from html import escape
from pathlib import Path

from pages.look.render import render
from pages.report import explore
from pages.report.charts import picture
from pages.report.csv_file import csv_link
from pages.report.figure import Figure, Page, text
from pages.report.pages import PAGES
from pages.report.pages.reviews import is_companys_rule
from pages.report.status import status
from pages.report.warehouse import Warehouse, ask

# Explore stands beside the overview.
NAVIGATION = (PAGES[0], explore.PAGE, *PAGES[1:])
# The narrow one is for phones; one of them is displayed.
WIDTHS = {"wide": 720, "middle": 520, "narrow": 330}
DAY = re.compile(r"\b\d{4}-\d\d(-\d\d)?\b")
UNIT = re.compile(r"(?<=\d) (?=(%|s|B|[kMGT]B)(?!\w))")
# Of those that a test found.
ROWS_SHOWN = 3
SYMBOLS = {"passed": "✓", "warned": "!", "failed": "✗", "not run": "–"}
# Of days that different classifiers judged.
MIXED = (
    "A number of positive reviews over all of these days mixes the errors of different classifiers. Overview has the share of each; Explore tells "
    "them apart; make run FROM=… TO=… judges the older days again."
)
# What the last day of a table is, by the column that has it: in the order of tables_to_report.
DAYS = {"insert_date": "delivered to", "as_of_date": "profiles as of", "run_started_at": "last run"}


def build(target: Path, site: Path) -> None:
    warehouse = ask(target)
    site.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        (site / f"{page.name}.html").write_text(page_html(page, warehouse), encoding="utf-8")
    (site / "explore.html").write_text(explore_html(warehouse), encoding="utf-8")


def page_html(page: Page, warehouse: Warehouse, template: str = "report.html.jinja", **values) -> str:
    return render(
        Path(__file__).with_name(template),
        filters={"unbroken_days": unbroken_days, "breakable": breakable},
        pages=NAVIGATION,
        page=page,
        **values,
        status=status(
            warehouse.answers.get("report_deliveries", []),
            warehouse.answers.get("report_ledger", []),
            warehouse.answers["report_footer_tests"],
            warehouse.last_run,
            warehouse.last_day_asked,
        ),
        figures=[
            _figure(figure, warehouse)
            for figure in page.figures
            if warehouse.card or not figure.is_of_card or figure is page.figures[0]
        ],
        owner=_owner(page, warehouse),
    )


def _owner(page: Page, warehouse: Warehouse) -> str:
    project = warehouse.manifest["metadata"]["project_name"]
    owner: str = warehouse.manifest["exposures"][f"exposure.{project}.report_{page.name}"]["owner"]["name"]
    return owner


def explore_html(warehouse: Warehouse) -> str:
    if warehouse.missing_tables(explore.QUERIES) or not warehouse.answers["report_explore_reviews"]:
        return page_html(explore.PAGE, warehouse)
    return page_html(
        explore.PAGE, warehouse, "explore.html.jinja", caveat=_classifier_agreement(warehouse),
        **explore.parts(warehouse.answers),
    )  # fmt: skip


def unbroken_days(sentence: str) -> str:
    """As HTML, in which no day or month breaks at a hyphen, and no number before its unit."""
    return DAY.sub(r'<span class="day">\g<0></span>', UNIT.sub("&nbsp;", escape(sentence)))


def breakable(name: str) -> str:
    """As HTML, in which a name of a table may break after an underscore."""
    return escape(name).replace("_", "_<wbr>")


def _figure(figure: Figure, warehouse: Warehouse) -> dict:
    """What the template needs of a figure, everything as text."""
    tables = warehouse.tables_behind(figure.queries)
    missing = warehouse.missing_tables(figure.queries)
    answers = [] if missing else [warehouse.answers[query] for query in figure.queries]
    if figure.is_of_card:
        shown = figure.show(warehouse.card, *answers) if warehouse.card and not missing else None
    else:
        shown = figure.show(*answers) if answers and answers[0] else None
    if figure.is_of_card and not warehouse.card:
        sentence = warehouse.no_card
    elif missing:
        sentence = f"This cannot be shown: the warehouse has no {', '.join(missing)}. Run make run first."
    else:
        sentence = shown.sentence if shown else figure.empty
    sources = _sources(tables, warehouse)
    of_card = warehouse.card if figure.is_of_card else None
    project = warehouse.manifest["metadata"]["project_name"]
    metrics = [warehouse.manifest["metrics"][f"metric.{project}.{name}"] for name in figure.metrics]
    return {
        "name": figure.name,
        "title": figure.title,
        "sentence": sentence,
        # Wherever money is, which.
        "money": f"Money: net, returns counted as negative, in {warehouse.currency}."
        if shown and any(kind == "money" for _, kind in shown.columns)
        else "",
        "pictures": _pictures(figure, shown),
        "legend": shown.legend if shown else (),
        "caveat": _classifier_agreement(warehouse) if figure.is_about_sentiment else "",
        "definition": figure.definition,
        "metrics": [{"label": metric["label"], "description": metric["description"]} for metric in metrics],
        "columns": shown.columns if shown else [],
        "rows": [
            [(text(value, kind), kind) for value, (_, kind) in zip(row, shown.columns, strict=True)] for row in shown.rows
        ] if shown else [],
        "row_ids": shown.row_ids if shown else (),
        "is_open": bool(shown and shown.is_open),
        "explore": figure.explore,
        "csv": csv_link(shown) if shown and shown.rows else "",
        "sources": sources,
        "days": f"measured {of_card.trained}" if of_card else " · ".join(dict.fromkeys(source["day"] for source in sources if source["day"])),
        "queries": [warehouse.queries[query] for query in figure.queries if query in warehouse.queries],
        "as_of": of_card.trained if of_card else max((str(row["last_day"]) for row in _rows_of(tables, warehouse) if row["last_day"]), default="not known"),
        "tests": _tests(tables, warehouse),
    }  # fmt: skip


def _pictures(figure: Figure, shown) -> dict[str, str]:
    if not shown or not shown.chart:
        return {}
    description = f"{shown.sentence} The table below the chart has the numbers."
    return {size: picture(shown.chart(width), figure.title, description) for size, width in WIDTHS.items()}


def _classifier_agreement(warehouse: Warehouse) -> str:
    """What "positive" is worth, of each classifier that judged some days."""
    judged = warehouse.answers.get("report_classifiers", [])
    said = [_right(row) for row in judged if row["accuracy"] is None or not is_companys_rule(row)]
    if not len(said) == len(judged) > 0:
        project = warehouse.manifest["metadata"]["project_name"]
        keyword = warehouse.manifest["docs"][f"doc.{project}.classifier_agreement"]["block_contents"]
        said.append(f"On other days: {keyword}" if said else keyword)
    return " ".join([*said, MIXED] if len(judged) > 1 else said)


def _right(row) -> str:
    name = f"“Positive” is what {row['classifier']} {row['classifier_version']} decided"
    if row["accuracy"] is None:
        return f"{name}; how often that is right is not measured."
    return (
        f"{name}, which was right on {text(row['accuracy'], 'share')} of {text(row['labelled_reviews'], 'count')} labelled reviews "
        f"({row['measured_on']}): of the positive ones it finds {text(row['sensitivity'], 'share')}, of the negative ones "
        f"{text(row['specificity'], 'share')}."
    )


def _rows_of(tables, warehouse) -> list[dict]:
    return [
        warehouse.tables[table["unique_id"]] for table in tables if table["unique_id"] in warehouse.tables
    ]


def _sources(tables, warehouse) -> list[dict]:
    found = {row["unique_id"]: row for row in _rows_of(tables, warehouse)}
    return [
        {
            "name": table["name"],
            "page": f"../tables/{table['name']}.html",
            "rows": text(row["row_count"], "count") if row else "missing",
            "day": f"{_kind_of_day(table)} {row['last_day']}" if row and row["last_day"] else "",
        }
        for table in tables
        for row in [found.get(table["unique_id"])]
    ]


def _kind_of_day(table: dict) -> str:
    return next(words for column, words in DAYS.items() if column in table["columns"])


def _tests(tables, warehouse) -> dict:
    state = warehouse.test_state(tables)
    return {
        "counts": [
            {"status": status, "symbol": SYMBOLS[status], "count": text(len(names), "count")}
            for status, names in state.names.items()
        ],
        "not_passed": [
            {"status": status, "name": name, "rows": state.rows[name][:ROWS_SHOWN]}
            for status in ("failed", "warned")
            for name in sorted(state.names[status])
        ],
        "total": sum(map(len, state.names.values())),
        "last_run": text(state.last_run, "time"),
    }


if __name__ == "__main__":
    build(*map(Path, sys.argv[1:]))
