"""make diff: what was changed in a copy of a warehouse is what is reported, and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys

import duckdb
import pytest

from ci.staged_sample import ROOT, Warehouse
from pages.diff import compare

pytestmark = pytest.mark.slow


@pytest.fixture
def changed(built, tmp_path) -> Warehouse:
    changed = Warehouse(tmp_path / "it's", built.settings["STAGING_URI"])
    shutil.copyfile(built.file, changed.file)
    return changed


def rows_of(text: str) -> dict[str, list[str]]:
    """The lines of the tables of Markdown, by their first cell."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    return {name: cells for name, *cells in lines if name not in ("table", "metric")}


def test_equal_warehouses_differ_in_nothing(built, changed, manifest):
    said = compare(manifest, built.file, changed.file)
    assert rows_of(said) == {} and "No metric moves." in said and "No exposure moves." in said
    public = {name for (name,) in built.query(
        "select table_name from information_schema.tables where table_type = 'BASE TABLE' "
        "and table_schema in ('analytics_marts', 'analytics_history')"
    )}  # fmt: skip
    assert set(re.findall(r"\w+", said.split("\n")[0])) - {"Equal"} == public


def test_rows_columns_values_and_metrics_that_changed(built, changed, manifest):
    ((several, added),) = built.query(
        "select count(*), sum(review_count - review_score) from analytics_marts.fact_movie_analytics where review_count > 1 "
        "and review_score < review_count"
    )
    ((reviews, positive),) = built.query(
        "select sum(review_count), sum(review_score) from analytics_marts.fact_movie_analytics"
    )
    ((devices,),) = built.query("select count(*) from analytics_marts.dim_devices")
    ((months,),) = built.query("select count(*) from analytics_marts.customer_cohort_retention")
    with duckdb.connect(str(changed.file)) as connection:
        for statement in (
            "update analytics_marts.fact_movie_analytics set review_score = review_count where review_count > 1",
            "delete from analytics_marts.dim_devices where device = 'Tablet'",
            "insert into analytics_marts.dim_devices values (7, 'Fridge'), (8, 'Watch')",
            "alter table analytics_marts.dim_os add column family varchar",
            "drop table analytics_marts.customer_cohort_retention",
        ):
            connection.execute(statement)
    said = compare(manifest, built.file, changed.file)
    facts = f"{reviews and built.query('select count(*) from analytics_marts.fact_movie_analytics')[0][0]:,}"
    share = [f"{part / reviews:.5f}" for part in (positive, positive + added)]
    assert rows_of(said) == {
        "customer_cohort_retention": [f"{months:,}", "missing", "0", "0", "0", ""],
        "dim_devices": [f"{devices}", f"{devices + 1}", "1", "2", "0", ""],
        "dim_os": ["7", "7", "0", "0", "0", "+ family VARCHAR"],
        "fact_movie_analytics": [facts, facts, "0", "0", f"{several}", f"review_score {several}"],
        "Positive reviews": [f"{positive:,}", f"{positive + added:,}"],
        "Share of positive reviews": share,
    }
    assert "- Report: overview: customer_cohort_retention, fact_movie_analytics\n" in said
    assert "- Report: trust" not in said and "- Report: runs" not in said


def test_a_metric_counts_only_the_rows_that_it_is_for(built, changed, manifest):
    """All of the sample's cohorts are of its first month, so that nothing is known of their retention."""
    with duckdb.connect(str(changed.file)) as connection:
        connection.execute("update analytics_marts.customer_cohort_retention set is_left_censored = false")
        ((customers, active),) = connection.execute(
            "select sum(customer_count), sum(active_customer_count) from analytics_marts.customer_cohort_retention where is_complete"
        ).fetchall()
    found = rows_of(compare(manifest, built.file, changed.file))
    del found["customer_cohort_retention"]
    assert found == {
        "Customers of cohorts": ["missing", f"{customers:,}"],
        "Customers of cohorts who ordered": ["missing", f"{active:,}"],
        "Retention": ["missing", f"{active / customers:.5f}"],
    }


def test_what_is_no_warehouse_is_one_clear_line(built, manifest, tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "text.duckdb").write_text("no database" * 1000)
    for file, said in (
        (tmp_path / "none.duckdb", "there is no warehouse at"),
        (tmp_path / "text.duckdb", "cannot be read"),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "pages.diff", tmp_path / "manifest.json", file, built.file], cwd=ROOT, env=os.environ,
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert ended.returncode == 1 and said in ended.stderr and "Traceback" not in ended.stderr
