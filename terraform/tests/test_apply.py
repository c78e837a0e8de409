"""AWS applied and destroyed on the emulator: what only a real apply shows. `make test-apply` runs this and the promises
(test_aws_*.py) on the same stacks.
"""

from __future__ import annotations

import json

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
        if "/airflow/" not in secret["Name"] and not secret["Name"].endswith("-key")
    ]
    assert len(values) >= 3  # those of two databases and the key, at least
    assert [value for value in values if value in state] == []


def test_a_second_apply_changes_nothing(stack: Applied) -> None:
    changes = stack.planned_changes()
    assert changes == {}, json.dumps(changes, indent=2)
    again = stack.apply()
    assert "No changes. Your infrastructure matches the configuration." in again, again


def test_newer_versions_replace_nothing_but_the_settings_of_databases(stack: Applied) -> None:
    """And these are there before the old ones go: a database has to have one."""
    newer = {"kubernetes": "1.36", "postgresql": "18", "emr": "emr-spark-8.1.0"}
    versions = {name: {"version": version, "supported_until": None} for name, version in newer.items()}
    changes = stack.planned_changes(f"-var=versions={json.dumps(versions)}")
    assert changes["module.orchestrator.aws_eks_cluster.this"]["version"] == ["1.35", "1.36"]
    replaced = {
        address: change["actions"]
        for address, change in changes.items()
        # Airflow's variable spark names the release: a new version of its secret.
        if "delete" in change["actions"] and ".aws_secretsmanager_secret_version." not in address
    }
    assert replaced == {
        "module.shop.aws_db_parameter_group.this": ["create", "delete"],
        "module.orchestrator.aws_db_parameter_group.metadata": ["create", "delete"],
    }


def test_the_secrets_backend_answers_with_what_terraform_wrote(stack: Applied) -> None:
    secrets = stack.client("secretsmanager")

    def read(prefix: str, name: str) -> str:
        return str(secrets.get_secret_value(SecretId=f"{stack.outputs[prefix]}/{name}")["SecretString"])

    assert json.loads(read("airflow_variables_prefix", "spark")) == stack.outputs["spark"]
    assert json.loads(read("airflow_variables_prefix", "warehouse"))["REDSHIFT_HOST"]
    assert json.loads(read("airflow_connections_prefix", "shop_db"))["host"] == stack.outputs["shop_host"]


def test_destroy_leaves_nothing_and_the_stack_can_be_made_again(stack: Applied) -> None:
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
    stack.apply()
    assert stack.planned_changes() == {}
