"""The AWS stack that the tests make: its names, and what several of them look up in it."""

from __future__ import annotations

import json
from typing import Any

from terraform.tests.stack import Stack

NAME = "movie-analytics-test"
ACCOUNT = "123456789012"
LAYERS = {"raw", "staging", "quarantine", "artifacts"}
SPARK, AIRFLOW, SPECTRUM = f"{NAME}-spark-job", f"{NAME}-airflow", f"{NAME}-spectrum"


def bucket(layer: str) -> str:
    return f"{NAME}-{layer}-{ACCOUNT}"


def objects(layer: str, key: str) -> str:
    return f"arn:aws:s3:::{bucket(layer)}/{key}"


def bucket_policy(stack: Stack, layer: str, sid: str) -> dict[str, Any]:
    (policy,) = [
        one.policy for one in stack.all("aws_s3_bucket_policy").values() if one.bucket == bucket(layer)
    ]
    found: list[dict[str, Any]] = [
        statement for statement in json.loads(policy)["Statement"] if statement["Sid"] == sid
    ]
    (statement,) = found
    return statement


def role_arn(stack: Stack, name: str) -> str:
    (arn,) = [role.arn for role in stack.all("aws_iam_role").values() if role.name == name]
    return str(arn)


def platform_key(stack: Stack) -> str:
    return str(stack.one("aws_kms_key", "aws_kms_key.platform").arn)


def airflow_secrets(stack: Stack) -> dict[str, str]:
    """variables/… and connections/… -> value."""
    names = {secret.id: secret.name for secret in stack.all("aws_secretsmanager_secret").values()}
    prefix = f"{NAME}/airflow/"
    assert stack.outputs["airflow_variables_prefix"] == f"{prefix}variables"
    assert stack.outputs["airflow_connections_prefix"] == f"{prefix}connections"
    return {
        names[version.secret_id].removeprefix(prefix): version.secret_string
        for version in stack.all("aws_secretsmanager_secret_version").values()
    }
