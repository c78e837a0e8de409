"""What `make check-cloud` asks a real warehouse, asked of the stand-ins as far as they can answer."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from ci import check_cloud
from ci.staged_sample import ROOT, Sample
from ci.stand_ins.bigquery import bigquery_stand_in
from ci.stand_ins.redshift import redshift_stand_in


@pytest.mark.parametrize("target", ["redshift", "bigquery"])
def test_the_cost_is_said_and_agreed_to_before_anything_is_done(target):
    asked = subprocess.run(
        [sys.executable, "-m", "ci.check_cloud", target, "s3://nowhere/scratch"],
        cwd=ROOT, input="n\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.stdout.startswith("This costs about $") and asked.stdout.endswith("Go on? [y/N] ")
    assert (asked.returncode, asked.stderr) == (1, "Nothing was done.\n")


def test_what_it_costs_is_computed_from_list_prices():
    # 8 RPU for half an hour at $0.375; 1,500 statements of 30 MB at $6.25 a TiB.
    assert "$1.50:" in check_cloud.cost_of("redshift")
    assert "$0.27:" in check_cloud.cost_of("bigquery")


def test_a_dry_run_names_what_bigquery_refuses_and_changes_nothing(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/right.sql").write_text(
        "create or replace table `my-project-12c1.shop.t` as select 1 as a"
    )
    (tmp_path / "models/wrong.sql").write_text("select id::string from `my-project-12c1.shop.t`")
    with bigquery_stand_in(tmp_path, project="my-project-12c1") as stand_in:
        stand_in.query("create schema `my-project-12c1`.shop")
        stand_in.query("create table `my-project-12c1.shop.t` as select 2 as a")
        client = bigquery.Client(
            stand_in.project,
            AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=stand_in.endpoint),
        )
        _, problems = check_cloud.dry_run(client, tmp_path)
        assert stand_in.query("select a from `my-project-12c1.shop.t`") == [(2,)]
    (problem,) = problems
    assert problem.startswith("models/wrong.sql: ") and "Syntax error" in problem


class Real:
    """Notes what is asked of the real warehouse; a command in `broken` fails."""

    def __init__(self, broken: tuple[str, ...]):
        self.broken, self.folder = broken, ROOT
        self.asked: list[str] = []

    def dbt(self, *arguments: str, days: tuple) -> SimpleNamespace:
        command = " ".join(arguments[:2])
        self.asked.append(command)
        return SimpleNamespace(returncode=int(command in self.broken), stdout=f"{command} failed")

    def build(self, first, last=None) -> None:
        self.asked.append(f"build {first}")


def asked_as_reader(real: Real) -> list[str]:
    real.asked.append("reader")
    return []


@pytest.mark.parametrize(
    ("broken", "differing", "expected", "asked"),
    [
        ((), [], [], ["build --empty", "compile", "build 2021-01-01", "build 2021-01-06", "build 2021-01-02", "reader"]),
        ((), ["dim_os differs"], ["dim_os differs"], ["build --empty", "compile", "build 2021-01-01", "build 2021-01-06", "build 2021-01-02"]),
        (("build --empty",), [], ["build --empty failed"], ["build --empty"]),
        (("compile",), [], ["compile failed"], ["build --empty", "compile"]),
    ],
)  # fmt: skip
def test_the_cheapest_comes_first_and_what_fails_ends_it(monkeypatch, broken, differing, expected, asked):
    real = Real(broken)
    sample = SimpleNamespace(DAYS=Sample.DAYS, staging=ROOT, prepare=lambda: SimpleNamespace(returncode=0))
    fakes = {
        "Sample": lambda folder: sample,
        "RealWarehouse": lambda *_: real,
        "upload": lambda *_: None,
        "staged_warehouse": lambda *_: Real(()),
        "credentials_of": lambda target: None,
        "create_bigquery_client": lambda credentials: None,
        "dry_run": lambda *_: (0, []),
        "compare": lambda *_: differing,
        "query_as_reader": lambda *_: None,
        "reader_problems": lambda *_: asked_as_reader(real),
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(check_cloud, name, fake)
    assert check_cloud.check("bigquery", "gs://bucket/scratch", "dashboards@example.com") == expected
    assert real.asked == asked


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """A Redshift with the schemas of a deployment, and the rights of readers as deploy/databases/redshift.sh grants them."""
    with redshift_stand_in(tmp_path_factory.mktemp("lake")) as stand_in:
        for layer, tables in {**check_cloud.HIDDEN, "reading": ()}.items():
            stand_in.query(f"create schema analytics_{layer}")
            for table in {*tables, *(check_cloud.SEEN if layer == "marts" else ())}:
                stand_in.query(f"create table analytics_{layer}.{table} as select 1 as n")
        for view in check_cloud.SEEN:
            stand_in.query(
                f"create view analytics_reading.{view} as select n from analytics_marts.{view} with no schema binding"
            )
        for statement in (
            "grant usage on schema analytics_reading, analytics_marts to reader",
            "grant select on all tables in schema analytics_reading to reader",
        ):
            stand_in.query(statement)
        yield stand_in


def problems_of_reader(stand_in) -> list[str]:
    def query(sql: str) -> list:
        with stand_in.connect(user="reader") as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    return check_cloud.reader_problems(query, "analytics")


def test_a_reader_sees_the_views_and_no_table(deployed):
    assert problems_of_reader(deployed) == []


@pytest.mark.parametrize(
    ("mistake", "mended", "problem"),
    [
        (
            "revoke usage on schema analytics_marts from reader",
            "grant usage on schema analytics_marts to reader",
            "analytics_reading.dim_os cannot be read",
        ),
        (
            "grant select on analytics_marts.user_profile to reader",
            "revoke select on analytics_marts.user_profile from reader",
            "analytics_marts.user_profile can be read, and should not",
        ),
        (
            "alter table analytics_marts.user_profile rename to other",
            "alter table analytics_marts.other rename to user_profile",
            "analytics_marts.user_profile: refused for another reason",
        ),
    ],
)
def test_a_right_too_few_or_too_many_is_named(deployed, mistake, mended, problem):
    deployed.query(mistake)
    try:
        assert any(problem in line for line in problems_of_reader(deployed))
    finally:
        deployed.query(mended)
