"""Which data tests a figure answers for: those of its tables, and of all that these are made from."""

from collections import Counter
from typing import ClassVar

from pages.report.pages import PAGES
from pages.report.warehouse import Warehouse


def node(kind: str, name: str, *parents: str, **more) -> dict:
    return {
        "unique_id": f"{kind}.{name}", "resource_type": kind, "name": name, "description": "", "depends_on": {"nodes": list(parents)}, **more,
    }  # fmt: skip


def asked(manifest: dict, **ended: str) -> Warehouse:
    """A warehouse of which only the tests' results are known, by the name of the test."""
    tests = [
        {"unique_id": node["unique_id"], "status": ended[node["name"]], "run_started_at": None}
        for node in manifest["nodes"].values()
        if node["name"] in ended
    ]
    return Warehouse(
        {"report_footer_tables": [], "report_footer_tests": tests, "report_footer_failing_rows": []}, manifest
    )


def test_a_warning_of_anything_that_a_figure_is_made_from_shows():
    nodes = [
        node("model", "staged", "source.raw", "seed.names"),
        node("seed", "names"),
        node("model", "attributed", "model.staged"),
        node("model", "fact", "model.attributed"),
        node("model", "elsewhere", "model.staged"),
        node("analysis", "figure", "model.fact"),
        node("test", "of_source", "source.raw"),
        node("test", "of_seed", "seed.names", attached_node="seed.names"),
        node("test", "of_query", "model.attributed"),
        node("test", "of_fact", "model.fact", attached_node="model.fact"),
        # of a table that the figure does not see, compared with one that it does
        node("test", "of_other", "model.elsewhere", "model.fact", attached_node="model.elsewhere"),
    ]
    manifest = {
        "nodes": {each["unique_id"]: each for each in nodes},
        "sources": {"source.raw": {"unique_id": "source.raw", "name": "raw"}},
    }
    warehouse = asked(
        manifest, of_source="fail", of_seed="warn", of_query="warn", of_fact="pass", of_other="fail"
    )
    state = warehouse.test_state(warehouse.tables_behind(["figure"]))
    assert {status: sorted(names) for status, names in state.names.items()} == {
        "passed": ["of_fact"], "warned": ["of_query", "of_seed"], "failed": ["of_source"], "not run": [],
    }  # fmt: skip


def test_a_date_after_its_delivery_shows_wherever_days_of_reviews_are_counted(manifest):
    warehouse = asked(manifest, review_dated_after_its_delivery="warn")
    figures = {figure.name: figure for page in PAGES for figure in page.figures}
    for name in ("reviews", "by-day", "glance"):
        state = warehouse.test_state(warehouse.tables_behind(figures[name].queries))
        assert state.names["warned"] == ["review_dated_after_its_delivery"], name


def test_what_tables_are_made_from_is_found_once_for_all_figures(manifest):
    """Each figure asks, of much the same tables."""

    class Counted(dict):
        asked: ClassVar[Counter] = Counter()

        def get(self, key, default=None):
            self.asked[key] += 1
            return super().get(key, default)

    counted = Counted(manifest["nodes"])
    warehouse = asked({**manifest, "nodes": counted})
    for _ in range(2):
        for page in PAGES:
            for figure in page.figures:
                warehouse.test_state(warehouse.tables_behind(figure.queries))
    assert len(counted.asked) > 20 and max(counted.asked.values()) == 1
