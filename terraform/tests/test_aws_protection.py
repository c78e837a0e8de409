"""AWS: nothing is public, everything is encrypted and speaks TLS, logs are kept.

Read from the state: with AWS's answers made up (every commit), and after a real apply against the emulator (`make
test-apply`). One test a promise; its name is the promise.
"""

from __future__ import annotations

import json
import re

from terraform.tests.aws_stack import (
    ACCOUNT,
    LAYERS,
    NAME,
    bucket,
    bucket_policy,
    objects,
    platform_key,
)
from terraform.tests.cli import TREE
from terraform.tests.stack import Stack


def test_no_bucket_can_be_public(stack: Stack) -> None:
    blocks = {block.bucket: block for block in stack.all("aws_s3_bucket_public_access_block").values()}
    assert (
        blocks.keys()
        == {bucket.bucket for bucket in stack.all("aws_s3_bucket").values()}
        == {bucket(layer) for layer in LAYERS}
    )
    for block in blocks.values():
        assert block.block_public_acls and block.block_public_policy, block.bucket
        assert block.ignore_public_acls and block.restrict_public_buckets, block.bucket
    owners = stack.all("aws_s3_bucket_ownership_controls").values()
    assert {(owner.bucket, owner.rule[0]["object_ownership"]) for owner in owners} == {
        (bucket(layer), "BucketOwnerEnforced") for layer in LAYERS
    }
    assert not stack.all("aws_s3_bucket_acl")


def test_every_bucket_is_encrypted_with_the_lakes_key(stack: Stack) -> None:
    key = stack.one("aws_kms_key", "aws_kms_key.lake").arn
    found = {
        encryption.bucket: encryption.rule[0]["apply_server_side_encryption_by_default"][0]
        for encryption in stack.all("aws_s3_bucket_server_side_encryption_configuration").values()
    }
    assert found.keys() == {bucket(layer) for layer in LAYERS}
    assert {(rule["sse_algorithm"], rule["kms_master_key_id"]) for rule in found.values()} == {
        ("aws:kms", key)
    }


def test_every_bucket_keeps_versions_for_a_while(stack: Stack) -> None:
    versions = stack.all("aws_s3_bucket_versioning").values()
    assert {(one.bucket, one.versioning_configuration[0]["status"]) for one in versions} == {
        (bucket(layer), "Enabled") for layer in LAYERS
    }
    for one in stack.all("aws_s3_bucket_lifecycle_configuration").values():
        (old,) = [rule for rule in one.rule if rule["noncurrent_version_expiration"]]
        assert old["status"] == "Enabled" and old["noncurrent_version_expiration"][0]["noncurrent_days"] == 30


def test_every_bucket_refuses_plain_http(stack: Stack) -> None:
    for layer in LAYERS:
        denied = bucket_policy(stack, layer, "TlsOnly")
        assert (
            denied["Effect"] == "Deny" and denied["Action"] == "s3:*" and denied["Principal"] == {"AWS": "*"}
        )
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert set(denied["Resource"]) == {f"arn:aws:s3:::{bucket(layer)}", objects(layer, "*")}


def test_rejected_records_go_after_90_days_and_who_read_them_stays(stack: Stack) -> None:
    (rules,) = [
        one.rule
        for one in stack.all("aws_s3_bucket_lifecycle_configuration").values()
        if "quarantine" in one.bucket
    ]
    expiring = [rule for rule in rules if rule["expiration"] and rule["expiration"][0]["days"]]
    assert {(rule["status"], rule["expiration"][0]["days"]) for rule in expiring} == {("Enabled", 90)}
    assert {rule["filter"][0]["prefix"] for rule in expiring} == {
        "classified_movie_review/",
        "other_classification/",
        "review_logs/",
        "user_purchase/",
    }


def test_no_rule_deletes_what_is_staged(stack: Stack) -> None:
    """The run that a day's delivery row names may be years old."""
    (rules,) = [
        one.rule
        for one in stack.all("aws_s3_bucket_lifecycle_configuration").values()
        if "staging" in one.bucket
    ]
    (rule,) = rules
    (expiration,) = rule["expiration"]
    assert not expiration["days"] and not expiration["date"]
    # what a removed run leaves behind, and an upload that was broken off
    assert expiration["expired_object_delete_marker"] is True
    assert rule["abort_incomplete_multipart_upload"][0]["days_after_initiation"] == 7


def test_only_airflow_reaches_the_databases(stack: Stack) -> None:
    nodes = stack.one("aws_eks_cluster").vpc_config[0]["cluster_security_group_id"]
    groups = {group.id: group.name for group in stack.all("aws_security_group").values()}
    found = set()
    for rule in stack.all("aws_vpc_security_group_ingress_rule").values():
        if rule.security_group_id == nodes:
            continue  # the Kubernetes API: test_kubernetes_is_closed_but_for_the_allowed_addresses
        assert not rule.cidr_ipv4 and not rule.cidr_ipv6 and not rule.prefix_list_id, rule
        assert (
            rule.referenced_security_group_id == nodes
            and rule.from_port == rule.to_port
            and rule.ip_protocol == "tcp"
        )
        found.add((groups[rule.security_group_id], rule.from_port))
    assert found == {(f"{NAME}-shop", 5432), (f"{NAME}-metadata", 5432), (f"{NAME}-warehouse", 5439)}
    # No rules in another form, and none in the group that a machine gets when it names none.
    assert not stack.all("aws_security_group_rule") and not stack.all("aws_vpc_security_group_rule")
    default = stack.one("aws_default_security_group")
    assert not default.ingress and not default.egress


def test_databases_are_private_encrypted_and_speak_tls_only(stack: Stack) -> None:
    databases = stack.all("aws_db_instance")
    assert len(databases) == 2
    groups = {group.name: group for group in stack.all("aws_db_parameter_group").values()}
    for address, database in databases.items():
        assert database.publicly_accessible is False, address
        assert database.storage_encrypted and database.kms_key_id == platform_key(stack), address
        parameters = {
            parameter["name"]: parameter["value"]
            for parameter in groups[database.parameter_group_name].parameter
        }
        assert parameters["rds.force_ssl"] == "1", address


def test_the_warehouse_is_private_encrypted_and_speaks_tls_only(stack: Stack) -> None:
    if stack.all("aws_redshift_cluster"):
        cluster = stack.one("aws_redshift_cluster")
        # the provider gives texts here
        assert str(cluster.encrypted).lower() == "true" and cluster.kms_key_id == platform_key(stack)
        assert cluster.publicly_accessible is False and cluster.enhanced_vpc_routing
        group = stack.one("aws_redshift_parameter_group")
        assert cluster.cluster_parameter_group_name == group.name
        parameters = {parameter["name"]: parameter["value"] for parameter in group.parameter}
        assert parameters == {
            "require_ssl": "true",
            "enable_user_activity_logging": "true",
            "statement_timeout": "3600000",
        }
        assert set(stack.one("aws_redshift_logging").log_exports) == {
            "userlog",
            "connectionlog",
            "useractivitylog",
        }
    else:
        namespace, workgroup = (
            stack.one("aws_redshiftserverless_namespace"),
            stack.one("aws_redshiftserverless_workgroup"),
        )
        assert namespace.kms_key_id == platform_key(stack)
        assert set(namespace.log_exports) == {"userlog", "connectionlog", "useractivitylog"}
        assert workgroup.publicly_accessible is False and workgroup.enhanced_vpc_routing
        parameters = {one["parameter_key"]: one["parameter_value"] for one in workgroup.config_parameter}
        assert parameters.get("require_ssl") == "true"
        # What runs away ends, and costs no more than this a day.
        assert parameters.get("max_query_execution_time") == "3600"
        limit = stack.one("aws_redshiftserverless_usage_limit")
        assert (limit.usage_type, limit.period, limit.breach_action) == (
            "serverless-compute",
            "daily",
            "deactivate",
        )
        assert limit.amount == 8 * workgroup.base_capacity
    assert stack.outputs["warehouse"]["REDSHIFT_METHOD"] == "iam_role"


def test_kubernetes_is_closed_but_for_the_allowed_addresses(stack: Stack) -> None:
    cluster = stack.one("aws_eks_cluster")
    network = cluster.vpc_config[0]
    assert network["endpoint_private_access"] is True
    if network["endpoint_public_access"]:
        assert set(network["public_access_cidrs"]) == {"198.51.100.0/24"}
    # A private address reaches the API through the network, by a rule of the cluster's own group.
    rules = [
        rule for rule in stack.all("aws_vpc_security_group_ingress_rule").values() if rule.from_port == 443
    ]
    assert {rule.cidr_ipv4 for rule in rules} == (
        {"10.20.128.0/20"} if network["endpoint_public_access"] else set()
    )
    assert all(rule.security_group_id == network["cluster_security_group_id"] for rule in rules)
    assert cluster.encryption_config[0]["resources"] == ["secrets"]
    assert cluster.encryption_config[0]["provider"][0]["key_arn"] == platform_key(stack)
    assert len(cluster.enabled_cluster_log_types) == 5
    assert cluster.access_config[0]["authentication_mode"] == "API"


def test_whoever_is_named_administers_the_cluster_and_nobody_by_having_deployed_first(stack: Stack) -> None:
    access = stack.one("aws_eks_cluster").access_config
    assert access[0]["bootstrap_cluster_creator_admin_permissions"] is False
    granted = stack.all("aws_eks_access_policy_association").values()
    assert {one.principal_arn for one in granted} == {
        f"arn:aws:iam::{ACCOUNT}:role/deploy",
        f"arn:aws:iam::{ACCOUNT}:user/ann",
    }
    for one in granted:
        assert one.policy_arn == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
        assert one.access_scope[0]["type"] == "cluster"


def test_kubernetes_never_costs_extended_support(stack: Stack) -> None:
    policy = stack.one("aws_eks_cluster").upgrade_policy
    assert policy == [{"support_type": "STANDARD"}]


def test_pods_cannot_take_the_nodes_role(stack: Stack) -> None:
    template = stack.one("aws_launch_template")
    metadata = template.metadata_options[0]
    assert metadata["http_tokens"] == "required" and metadata["http_put_response_hop_limit"] == 1
    assert template.block_device_mappings[0]["ebs"][0]["encrypted"] == "true"
    assert stack.one("aws_eks_node_group").launch_template[0]["id"] == template.id
    if stack.runtime == "emr":
        settings = json.loads(stack.one("aws_emr_security_configuration").configuration)
        assert settings["InstanceMetadataServiceConfiguration"] == {
            "MinimumInstanceMetadataServiceVersion": 2, "HttpPutResponseHopLimit": 1,
        }  # fmt: skip


def test_machines_lie_in_private_subnets_of_three_zones(stack: Stack) -> None:
    private = {
        subnet.id: subnet for address, subnet in stack.all("aws_subnet").items() if ".private[" in address
    }
    assert len({subnet.availability_zone for subnet in private.values()}) == 3
    assert not [subnet for subnet in stack.all("aws_subnet").values() if subnet.map_public_ip_on_launch]
    used = [
        stack.one("aws_eks_cluster").vpc_config[0]["subnet_ids"],
        stack.one("aws_eks_node_group").subnet_ids,
    ]
    used += [group.subnet_ids for group in stack.all("aws_db_subnet_group").values()]
    used += [group.subnet_ids for group in stack.all("aws_redshift_subnet_group").values()]
    used += [group.subnet_ids for group in stack.all("aws_redshiftserverless_workgroup").values()]
    assert len(used) == 5 and all(set(subnets) == private.keys() for subnets in used)
    assert stack.outputs["spark"]["emr_subnet_id"] in private
    # without the tag EMR may not use them
    for place in (stack.one("aws_vpc"), *private.values()):
        assert place.tags["for-use-with-amazon-emr-managed-policies"] == "true"
    large = stack.one("aws_db_instance", "module.shop").multi_az
    assert len(stack.all("aws_nat_gateway")) == (3 if large else 1)


def test_no_zone_is_taken_that_eks_refuses() -> None:
    """By its id, which is the same in all accounts: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html"""
    network = (TREE / "modules/aws/network/main.tf").read_text()
    (excluded,) = re.findall(r"exclude_zone_ids = \[(.*)\]", network)
    assert set(re.findall(r'"(.+?)"', excluded)) >= {"use1-az3", "usw1-az2", "cac1-az3"}


def test_keys_rotate_and_belong_to_the_account(stack: Stack) -> None:
    keys = stack.all("aws_kms_key")
    assert len(keys) == 3
    for address, key in keys.items():
        assert key.enable_key_rotation, address
        for statement in json.loads(key.policy)["Statement"]:
            if statement["Effect"] == "Allow" and statement["Principal"] != {
                "AWS": f"arn:aws:iam::{ACCOUNT}:root"
            }:
                assert statement["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}, address
                assert statement["Condition"] == {
                    "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"}
                }


def test_everything_else_is_encrypted_with_the_platforms_key(stack: Stack) -> None:
    key = platform_key(stack)
    for type_ in ("aws_cloudwatch_log_group", "aws_secretsmanager_secret"):
        assert {resource.kms_key_id for resource in stack.all(type_).values()} == {key}, type_
    for database in stack.all("aws_db_instance").values():
        assert database.performance_insights_kms_key_id == key
    repository = stack.one("aws_ecr_repository")
    assert repository.encryption_configuration[0]["kms_key"] == key
    assert (
        repository.image_tag_mutability == "IMMUTABLE"
        and repository.image_scanning_configuration[0]["scan_on_push"]
    )
    runtime = stack.runtime
    if runtime == "emr":
        encryption = json.loads(stack.one("aws_emr_security_configuration").configuration)[
            "EncryptionConfiguration"
        ]
        at_rest = encryption["AtRestEncryptionConfiguration"]
        assert (
            encryption["EnableAtRestEncryption"]
            and at_rest["LocalDiskEncryptionConfiguration"]["AwsKmsKey"] == key
        )
        assert (
            at_rest["S3EncryptionConfiguration"]["AwsKmsKey"]
            == stack.one("aws_kms_key", "aws_kms_key.lake").arn
        )
    elif runtime == "glue":
        encryption = stack.one("aws_glue_security_configuration").encryption_configuration[0]
        assert {part[0]["kms_key_arn"] for part in encryption.values() if part} == {
            key, stack.one("aws_kms_key", "aws_kms_key.lake").arn,
        }  # fmt: skip
        assert (
            stack.one("aws_glue_job").security_configuration
            == stack.one("aws_glue_security_configuration").name
        )


def test_logs_are_kept_for_a_year(stack: Stack) -> None:
    groups = stack.all("aws_cloudwatch_log_group").values()
    assert {group.name: group.retention_in_days for group in groups} == {
        f"/{NAME}/network": 365, f"/aws/eks/{NAME}/cluster": 365,
    }  # fmt: skip
    assert stack.one("aws_flow_log").vpc_id == stack.one("aws_vpc").id
