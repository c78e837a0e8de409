"""Checks the project on a real Redshift or BigQuery. Nothing runs it by default: it needs an account, takes half an hour and costs a little.

    make check-cloud TARGET=redshift STAGING_URI=s3://bucket/scratch
    make check-cloud TARGET=bigquery STAGING_URI=gs://bucket/scratch READER=dashboards@project.iam.gserviceaccount.com

The settings are those of profiles_template.yml. The cheapest comes first, and what fails ends it:

1. a sample is staged here by Spark and uploaded to a folder of its own below the URI;
2. `dbt build --empty`: each statement is planned and run on no rows, in schemas of its own;
3. BigQuery only: a dry run of every compiled statement, which is free, and how many bytes it would read;
4. the days are built, the last one by itself and an old one again, and each mart is compared with DuckDB's, row for row;
5. with READER, the login of a reader: an AWS profile, or a service account that you may impersonate. It has to see the views of
   the deployed warehouse (DBT_SCHEMA), and none of its tables.

The folder and the schemas stay for a look; their names are printed, so that they can be dropped.
"""

import argparse
import csv
import os
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import yaml
from dbt.adapters.bigquery.clients import create_bigquery_client
from dbt.adapters.redshift.connections import get_connection_method
from dbt.config.profile import Profile
from dbt.config.renderer import ProfileRenderer
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context
from google.api_core.exceptions import GoogleAPIError
from google.cloud.bigquery import Client, QueryJobConfig
from redshift_connector.error import Error as RedshiftError

from ci.real_warehouse import RealWarehouse, compare, upload
from ci.staged_sample import ROOT, Sample, staged_warehouse

# Of a small Serverless workgroup; of statements that each read three small tables, which count as 10 MB.
RPU, HOURS = 8, 0.5
STATEMENTS, TABLES = 1500, 3
# What a reader may see, in the schema …_reading, and what not, in the others.
SEEN = (
    "fact_movie_analytics",
    "dim_date",
    "dim_devices",
    "dim_location",
    "dim_os",
    "dim_browser",
    "customer_cohort_retention",
)
HIDDEN = {
    "marts": ("fact_movie_analytics", "user_behavior_metric", "user_profile", "dim_os"),
    "intermediate": ("int_review", "int_log"),
    "staging": ("stg_review_logs",),
    "external": ("review_logs",),
    "history": ("user_segment_history",),
}  # fmt: skip

Query = Callable[[str], list]
# What either driver raises when the warehouse refuses a query.
REFUSED = (RedshiftError, GoogleAPIError)


def cost_of(target: str) -> str:
    """What a run costs, a sentence with its list price."""
    with (ROOT / "terraform/prices.csv").open() as file:
        prices = {row["item"]: row for row in csv.DictReader(file)}
    if target == "redshift":
        price = prices["Redshift Serverless"]
        amount, of_what = (
            RPU * HOURS,
            f"{RPU} RPU for {HOURS * 60:.0f} minutes; a cluster that runs anyway costs nothing more",
        )
    else:
        price = prices["BigQuery on demand"]
        amount, of_what = (
            STATEMENTS * TABLES * 10 / 2**20,
            f"{STATEMENTS} statements that read {TABLES} tables, at 10 MB each",
        )
    dollars = amount * float(price["usd"])
    return f"This costs about ${dollars:.2f}: {of_what} (${price['usd']} a {price['unit']}, {price['region']}, {price['read']})."


def credentials_of(target: str):
    """dbt's, from profiles_template.yml and the environment."""
    set_invocation_context(dict(os.environ))
    set_from_args(argparse.Namespace(), None)
    template = yaml.safe_load((ROOT / "profiles_template.yml").read_text())
    return Profile.from_raw_profiles(
        template, "movie_analytics", ProfileRenderer({}), target_override=target
    ).credentials


def dry_run(client: Client, compiled: Path) -> tuple[int, list[str]]:
    """Ask BigQuery of each compiled statement below a folder: (bytes that all would read, what is wrong, a line each)."""
    total, problems = 0, []
    for file in sorted(path for path in compiled.rglob("*.sql") if path.is_file()):
        try:
            total += client.query(file.read_text(), QueryJobConfig(dry_run=True)).total_bytes_processed or 0
        except GoogleAPIError as error:
            problems.append(f"{file.relative_to(compiled)}: {error}")
    return total, problems


def reader_problems(query: Query, schema: str) -> list[str]:
    """What is wrong with the rights of a reader, a line each; `query` asks as the reader, and raises what it is refused with."""
    problems = []
    for view in SEEN:
        try:
            query(f"select count(*) from {schema}_reading.{view}")
        except REFUSED as error:
            problems.append(f"{schema}_reading.{view} cannot be read: {error}")
    for layer, tables in HIDDEN.items():
        for table in tables:
            try:
                query(f"select count(*) from {schema}_{layer}.{table}")
            except REFUSED as error:
                if not is_refusal(error):
                    problems.append(f"{schema}_{layer}.{table}: refused for another reason: {error}")
            else:
                problems.append(f"{schema}_{layer}.{table} can be read, and should not")
    return problems


def is_refusal(error: Exception) -> bool:
    """Whether a warehouse says that a right is missing. (BigQuery says so of a table that is not there, too.)"""
    return any(
        words in str(error).lower()
        for words in ("permission denied", "access denied", "does not have permission")
    )


def query_as_reader(target: str, reader: str) -> Query:
    """Ask the warehouse with the login of a reader."""
    credentials = credentials_of(target)
    if target == "bigquery":
        client = create_bigquery_client(credentials.replace(impersonate_service_account=reader))
        return lambda sql: list(client.query_and_wait(sql))
    connect = get_connection_method(credentials.replace(method="iam_role", iam_profile=reader))

    def query(sql: str) -> list:
        with connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    return query


def check(target: str, staging_uri: str, reader: str | None) -> list[str]:
    """All steps; what is wrong, a line each."""
    run = uuid.uuid4().hex[:8]
    uri, schema = f"{staging_uri}/movie_analytics_{run}", f"movie_analytics_ci_{run}"
    with tempfile.TemporaryDirectory() as folder:
        print("1. staging a sample with Spark", flush=True)
        sample = Sample(Path(folder) / "sample")
        prepared = sample.prepare()
        if prepared.returncode:
            return [prepared.stdout + prepared.stderr]
        print(f"   uploading it to {uri}", flush=True)
        upload(sample.staging, uri)
        real = RealWarehouse(Path(folder) / "real", uri, schema)
        print(f"   left behind at the end: {uri} and the schemas {schema}_*", flush=True)

        print("2. dbt build --empty", flush=True)
        days = (sample.DAYS[0], sample.DAYS[-1])
        empty = real.dbt("build", "--empty", "--exclude-resource-type", "unit_test", days=days)
        if empty.returncode:
            return [empty.stdout]
        if target == "bigquery":
            print("3. dry run of every compiled statement", flush=True)
            compiled = real.dbt("compile", days=days)
            if compiled.returncode:
                return [compiled.stdout]
            total, problems = dry_run(
                create_bigquery_client(credentials_of(target)), real.folder / "target/compiled"
            )
            if problems:
                return problems
            print(f"   {total:,} bytes would be read", flush=True)

        print("4. building on DuckDB and there", flush=True)
        duckdb = staged_warehouse(Path(folder) / "duckdb", sample.staging)
        duckdb.build(sample.DAYS[0], sample.DAYS[-1])
        real.build(sample.DAYS[0], sample.DAYS[-2])
        real.build(sample.DAYS[-1])
        real.build(sample.DAYS[1])
        problems = compare(real, duckdb)
    if reader and not problems:
        print(f"5. the login of {reader}", flush=True)
        problems = reader_problems(query_as_reader(target, reader), os.environ.get("DBT_SCHEMA", "analytics"))
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ci.check_cloud",
        description=__doc__.partition("\n")[0] if __doc__ else None,
    )
    parser.add_argument("target", choices=["redshift", "bigquery"])
    parser.add_argument("staging_uri", help="a scratch folder of a bucket that the warehouse can read")
    parser.add_argument(
        "--reader", help="a reader's login: an AWS profile, or a service account to impersonate"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before anything is paid for")
    arguments = parser.parse_args()
    os.environ["DBT_TARGET"] = arguments.target
    print(cost_of(arguments.target), flush=True)
    if not arguments.yes and input("Go on? [y/N] ").strip().lower() != "y":
        sys.exit("Nothing was done.")
    problems = check(arguments.target, arguments.staging_uri.rstrip("/"), arguments.reader or None)
    if problems:
        sys.exit("\n".join(["error: not as it should be:", *problems]))
    print("All as on DuckDB.")


if __name__ == "__main__":
    main()
