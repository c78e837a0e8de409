"""The macro tag_customers through the real dbt-bigquery: which column has BigQuery's policy tag after a build, and after the next."""

from pathlib import Path

import pytest

from ci.staged_sample import run_dbt
from ci.stand_ins.bigquery import bigquery_stand_in

# The first start on a machine compiles ZetaSQL.
pytestmark = pytest.mark.slow

MACRO = Path(__file__).parents[3] / "dbt_project/macros/tag_customers.sql"
TAG = "projects/p/locations/eu/taxonomies/1/policyTags/2"
PROJECT = {
    "dbt_project.yml": """{name: lab, version: "1.0.0", profile: lab, models: {+schema: marts, +post-hook: "{{ tag_customers() }}"}}""",
    "models/lab.yml": """
version: 2
models:
  - name: spent
    columns: [{name: customer_id, description: Whose.}, {name: amount}]
  - name: device
    columns: [{name: id}]
""",
    "models/spent.sql": "{{ config(materialized='table') }} select 1 as customer_id, 2 as amount",
    "models/device.sql": "{{ config(materialized='table') }} select 1 as id",
    "macros/tag_customers.sql": MACRO.read_text(),
}


@pytest.mark.parametrize("tag", [TAG, ""])
def test_customer_id_is_tagged_where_it_is_and_when_there_is_a_tag(tag, tmp_path):
    for path, content in PROJECT.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(content)
    with bigquery_stand_in(lake=tmp_path) as stand_in:
        (tmp_path / "profiles.yml").write_text(
            "{lab: {target: dev, outputs: {dev: {type: bigquery, method: oauth-secrets, token: none, job_retries: 0, "
            f"project: {stand_in.project}, location: {stand_in.location}, dataset: lab, threads: 1, "
            f'api_endpoint: "{stand_in.endpoint}"' + "}}}}"
        )
        for _ in range(2):  # the second replaces the tables
            built = run_dbt(
                "run", folder=tmp_path, settings={"BIGQUERY_CUSTOMER_POLICY_TAG": tag}, project=tmp_path
            )
            assert built.returncode == 0, built.stdout
            tags = {
                (table.id, column.name): (column.policy_tags, column.description)
                for table in stand_in.warehouse.tables.values()
                for column in table.columns
                if column.policy_tags
            }
            assert tags == ({("spent", "customer_id"): ((TAG,), "Whose.")} if tag else {})
