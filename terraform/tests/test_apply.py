"""AWS applied and destroyed on the emulator: what only a real apply shows. `make test-apply` runs this and the promises
(test_aws_*.py) on the same stacks.
"""

from __future__ import annotations

import json
import re

from terraform.tests.emulator import STATE_BUCKET, STATE_KEY, Applied


def test_the_state_lies_in_the_bucket_and_is_unlocked_again(stack: Applied) -> None:
    keys = {found["Key"] for found in stack.client("s3").list_objects_v2(Bucket=STATE_BUCKET)["Contents"]}
    assert keys == {STATE_KEY}
    assert not list(stack.folder.glob("*.tfstate"))


def test_no_value_of_a_secret_is_in_the_state(stack: Applied) -> None:
    """The passwords that the services made for the administrators, and the key of the pseudonyms once it has a value."""
    secrets = stack.client("secretsmanager")
    key = "5f0c1d9e8b7a6f5e4d3c2b1a09f8e7d6"
    secrets.put_secret_value(SecretId=stack.outputs["pseudonym_secret_id"], SecretString=key)
    stack._terraform("apply", "-refresh-only", "-auto-approve", "-input=false", "-no-color")
    state = stack.state()
    values = [key] + [
        json.loads(secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"])["password"]
        for secret in secrets.list_secrets()["SecretList"]
        if "/airflow/" not in secret["Name"] and "pseudonym" not in secret["Name"]
    ]
    assert len(values) >= 3  # those of two databases and the key, at least
    assert [value for value in values if value in state] == []


# What moto does not give back as it was sent, so that Terraform would send it again; AWS does.
FORGOTTEN = {
    "aws_budgets_budget": "tags",
    "aws_db_instance": "Performance Insights",
    "aws_db_parameter_group": "parameters",
    "aws_eks_cluster": "access and upgrade policy; with it, its nodes, its identity provider and the rules of its group",
    "aws_eks_node_group": "the cluster",
    "aws_emrserverless_application": "architecture",
    "aws_iam_openid_connect_provider": "the cluster",
    "aws_iam_role": "the cluster's identity provider, in the role of Airflow",
    "aws_launch_template": "its default version",
    "aws_redshift_cluster": "windows, tracks, default role",
    "aws_redshift_parameter_group": "parameters",
    "aws_vpc_security_group_ingress_rule": "descriptions, and the group of the cluster",
}


def test_a_second_apply_changes_nothing_else(stack: Applied) -> None:
    changes = stack.planned_changes()
    others = {address: change for address, change in changes.items() if _type(address) not in FORGOTTEN}
    assert others == {}, json.dumps(others, indent=2)
    # Of the roles, one only.
    roles = {address for address in changes if _type(address) == "aws_iam_role"}
    assert roles <= {"module.orchestrator.aws_iam_role.airflow"}


def _type(address: str) -> str:
    (found,) = re.findall(r"(?:^|\.)(aws_\w+)\.", address)
    return str(found)


def test_the_secrets_backend_answers_with_what_terraform_wrote(stack: Applied) -> None:
    secrets = stack.client("secretsmanager")

    def read(prefix: str, name: str) -> str:
        return str(secrets.get_secret_value(SecretId=f"{stack.outputs[prefix]}/{name}")["SecretString"])

    assert json.loads(read("airflow_variables_prefix", "spark")) == stack.outputs["spark"]
    assert json.loads(read("airflow_variables_prefix", "warehouse"))["REDSHIFT_HOST"]
    assert json.loads(read("airflow_connections_prefix", "shop_db"))["host"] == stack.outputs["shop_host"]


def test_destroy_leaves_nothing(stack: Applied) -> None:
    s3, staging = stack.client("s3"), stack.outputs["staging_uri"].removeprefix("s3://")
    # moto takes a Deny for one without looking at its conditions
    s3.delete_bucket_policy(Bucket=staging)
    s3.put_object(Bucket=staging, Key="x/y.parquet", Body=b"1")
    stack.destroy()
    assert json.loads(stack.state())["resources"] == []
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == [STATE_BUCKET]
    assert stack.client("rds").describe_db_instances()["DBInstances"] == []
    assert stack.client("eks").list_clusters()["clusters"] == []
    assert [vpc for vpc in stack.client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]] == []
    names = {role["RoleName"] for role in stack.client("iam").list_roles()["Roles"]}
    assert not [name for name in names if name.startswith("movie-analytics")]
