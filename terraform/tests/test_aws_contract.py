"""AWS: what Airflow and dbt get to know, what it may cost, and what destroy removes.

Read from the state: with AWS's answers made up (every commit), and after a real apply against the emulator (`make
test-apply`). One test a promise; its name is the promise.
"""

from __future__ import annotations

import json
import re

from terraform.tests.aws_stack import (
    LAYERS,
    airflow_secrets,
    bucket,
)
from terraform.tests.cli import TREE
from terraform.tests.stack import Stack

# Airflow's variable spark, key by key.
SPARK_KEYS = {
    "region", "emr_serverless_application_id", "job_role_arn", "emr_release_label", "emr_service_role",
    "emr_instance_profile", "emr_subnet_id", "emr_instance_type", "emr_core_instance_count",
    "emr_security_configuration", "emr_log_uri", "glue_job_name", "pseudonym_secret_id",
}  # fmt: skip


def test_airflow_finds_all_its_variables_and_connections(stack: Stack) -> None:
    secrets = airflow_secrets(stack)
    assert secrets.keys() == {"connections/shop_db"} | {
        f"variables/{name}"
        for name in (
            "raw_uri", "staging_uri", "quarantine_uri", "artifacts_uri", "quarantine_key_id", "suppression_secret_id",
            "start_date", "pseudonym_key_version", "spark", "warehouse",
        )
    }  # fmt: skip
    for layer in LAYERS:
        assert secrets[f"variables/{layer}_uri"] == stack.outputs[f"{layer}_uri"] == f"s3://{bucket(layer)}"
    assert (secrets["variables/start_date"], secrets["variables/pseudonym_key_version"]) == (
        "2021-01-01",
        "1",
    )
    for name in ("quarantine_key_id", "suppression_secret_id"):
        assert secrets[f"variables/{name}"] == stack.outputs[name]
    for name in ("spark", "warehouse"):
        assert json.loads(secrets[f"variables/{name}"]) == stack.outputs[name]
    connection = json.loads(secrets["connections/shop_db"])
    assert connection["host"] == stack.outputs["shop_host"]
    assert (connection["schema"], connection["login"]) == (
        stack.outputs["shop_database"],
        stack.outputs["shop_user"],
    )


def test_the_variable_spark_has_the_names_that_airflow_reads(stack: Stack) -> None:
    assert stack.outputs["spark"].keys() == SPARK_KEYS
    pipeline = TREE.parent / "airflow/dags/pipeline"
    code = "".join((pipeline / name).read_text() for name in ("spark.py", "spark_cloud.py", "spark_aws.py"))
    read = set(re.findall(r'deployed\("(\w+)"\)|DeployedNumber\("(\w+)"\)', code))
    assert {first or second for first, second in read} == SPARK_KEYS
    needed = {
        "emr_serverless": {"emr_serverless_application_id"},
        "emr": {"emr_service_role", "emr_instance_profile", "emr_security_configuration"},
        "glue": {"glue_job_name"},
    }
    by_mode = set().union(*needed.values())
    assert {name for name in by_mode if stack.outputs["spark"][name]} == needed[stack.runtime]
    assert all(stack.outputs["spark"][name] for name in SPARK_KEYS - by_mode)


def test_the_variable_warehouse_has_the_names_that_dbt_reads(stack: Stack) -> None:
    project = TREE.parent
    read = (project / "profiles_template.yml").read_text() + "".join(
        file.read_text()
        for pattern in ("*.sql", "*.yml")
        for folder in ("models", "macros")
        for file in (project / "dbt_project" / folder).rglob(pattern)
    )
    names = set(re.findall(r"env_var\('(\w+)'", read))
    assert stack.outputs["warehouse"].keys() <= names
    assert {name for name in names if name.startswith(("REDSHIFT_", "GLUE_"))} - stack.outputs[
        "warehouse"
    ].keys() == {
        # an IAM role's own user
        "REDSHIFT_USER",
    }
    assert all(isinstance(value, str) for value in stack.outputs["warehouse"].values())
    assert stack.outputs["warehouse"]["DBT_TARGET"] == stack.outputs["dbt_target"] == "redshift"


def test_somebody_hears_of_the_budget(stack: Stack) -> None:
    budget = stack.one("aws_budgets_budget")
    assert (float(budget.limit_amount), budget.limit_unit, budget.time_unit) == (300, "USD", "MONTHLY")
    assert {(one["notification_type"], one["threshold"]) for one in budget.notification} == {
        ("ACTUAL", 80),
        ("FORECASTED", 100),
    }
    assert all(one["subscriber_email_addresses"] == ["data@example.com"] for one in budget.notification)


def test_only_a_trial_stack_loses_its_data_with_destroy(stack: Stack) -> None:
    trial = stack.one("aws_kms_key", "aws_kms_key.lake").deletion_window_in_days == 7
    for bucket_ in stack.all("aws_s3_bucket").values():
        assert bucket_.force_destroy is trial
    for database in stack.all("aws_db_instance").values():
        assert database.skip_final_snapshot is trial and database.deletion_protection is not trial
        assert database.backup_retention_period == (0 if trial else 14)
    for cluster in stack.all("aws_redshift_cluster").values():
        assert cluster.skip_final_snapshot is trial
    for address, secret in stack.all("aws_secretsmanager_secret").items():
        assert secret.recovery_window_in_days == (0 if trial else 30 if "airflow" not in address else 7)
    assert stack.one("aws_ecr_repository").force_delete is trial
    assert {key.deletion_window_in_days for key in stack.all("aws_kms_key").values()} == {7 if trial else 30}


def test_a_job_that_runs_away_is_stopped_by_a_limit(stack: Stack) -> None:
    for application in stack.all("aws_emrserverless_application").values():
        assert application.maximum_capacity[0]["cpu"] == "16 vCPU"
        assert application.auto_stop_configuration[0] == {"enabled": True, "idle_timeout_minutes": 5}
    for job in stack.all("aws_glue_job").values():
        assert job.timeout == 120 and job.number_of_workers == 8
    for workgroup in stack.all("aws_redshiftserverless_workgroup").values():
        assert (workgroup.base_capacity, workgroup.max_capacity) in {(8, 32), (32, 128)}
