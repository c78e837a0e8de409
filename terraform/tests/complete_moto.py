"""What moto 5.2 has and answers less of than AWS does: fields that the provider waits for, asks by, or would send again.

With these a second plan has no changes. Each is what was sent, or what AWS documents as the default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from moto.ec2.models import ec2_backends
from moto.ec2.models.launch_templates import LaunchTemplateBackend
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.eks.models import EKSBackend
from moto.emrserverless import models as emr_serverless
from moto.rds.models import DBInstance, DBParameterGroup
from moto.redshift.models import Cluster


def complete_moto() -> None:
    # the provider waits for these
    emr_serverless.APPLICATION_STATUS = "CREATED"
    Cluster.cluster_availability_status = "Available"
    Cluster.availability_zone_relocation_status = "disabled"
    Cluster.multi_az = "disabled"

    wrap(emr_serverless.EMRServerlessBackend, "create_application", application)
    wrap(DBInstance, "__init__", database)
    wrap(DBParameterGroup, "update_parameters", database_parameters)
    wrap(Cluster, "__init__", redshift)
    wrap(EKSBackend, "create_cluster", kubernetes)
    wrap(EKSBackend, "delete_cluster", kubernetes_is_deleted)
    wrap(EKSBackend, "create_nodegroup", nodes)
    wrap(LaunchTemplateBackend, "create_launch_template", launch_template)
    # moto looks at rules that name addresses, not at those that name a group
    SecurityGroupRule.description = property(
        lambda rule: rule.ip_range.get("Description") or rule.source_group.get("Description")
    )


def wrap(owner: type, name: str, around: Callable[..., Any]) -> None:
    """around(original, self, …) instead of owner.name(self, …)"""
    original = getattr(owner, name)
    setattr(owner, name, lambda self, *words, **settings: around(original, self, *words, **settings))


def sent(name: str, default: Any = None) -> Any:
    """Of the request that is being answered; its JSON, or a field of its form."""
    body = flask.request.get_json(silent=True) if flask.request.is_json else flask.request.form
    return (body or {}).get(name, default)


def application(make: Callable[..., Any], self: Any, *, release_label: str, **settings: Any) -> Any:
    """moto knows no release of Spark 4, and forgets the architecture."""
    made = make(self, release_label="emr-7.9.0", **settings)
    made.release_label = release_label
    made.architecture = sent("architecture", "X86_64")
    return made


def database(make: Callable[..., None], self: DBInstance, *words: Any, **settings: Any) -> None:
    make(self, *words, **settings)
    # moto gives all the same; the provider takes what looks like this for an id, anything else for a name
    self.dbi_resource_id = f"db-{settings['db_instance_identifier'].encode().hex().upper()}"
    self.performance_insights_enabled = sent("EnablePerformanceInsights") == "true"
    self.performance_insights_kms_key_id = sent("PerformanceInsightsKMSKeyId")
    self.performance_insights_retention_period = int(sent("PerformanceInsightsRetentionPeriod", 7))


def database_parameters(
    update: Callable[..., None], self: DBParameterGroup, new_parameters: list[dict[str, Any]]
) -> None:
    """The provider looks at what a user has set."""
    update(self, [{**parameter, "Source": "user"} for parameter in new_parameters])


def redshift(make: Callable[..., None], self: Cluster, *words: Any, **settings: Any) -> None:
    make(self, *words, **settings)
    self.default_iam_role_arn = sent("DefaultIamRoleArn", "")
    self.maintenance_track_name = sent("MaintenanceTrackName", "current")
    self.manual_snapshot_retention_period = int(sent("ManualSnapshotRetentionPeriod", -1))
    self.master_password_secret_kms_key_id = sent("MasterPasswordSecretKmsKeyId", "")
    self.preferred_maintenance_window = self.preferred_maintenance_window.lower()


def kubernetes(make: Callable[..., Any], self: EKSBackend, **settings: Any) -> Any:
    """AWS makes a security group with the cluster."""
    network = settings["resources_vpc_config"]
    ec2 = ec2_backends[self.account_id][self.region_name]
    vpc = ec2.get_subnet(network["subnetIds"][0]).vpc_id
    group = ec2.create_security_group(f"eks-cluster-sg-{settings['name']}", "Nodes", vpc_id=vpc)
    settings["resources_vpc_config"] = network | {"clusterSecurityGroupId": group.id, "vpcId": vpc}
    cluster = make(self, **settings)
    cluster.access_config = sent("accessConfig")
    cluster.upgrade_policy = sent("upgradePolicy", {"supportType": "EXTENDED"})
    return cluster


def kubernetes_is_deleted(delete: Callable[..., Any], self: EKSBackend, name: str) -> Any:
    cluster = delete(self, name)
    group = cluster.resources_vpc_config["clusterSecurityGroupId"]
    ec2_backends[self.account_id][self.region_name].delete_security_group(group_id=group)
    return cluster


def nodes(make: Callable[..., Any], self: EKSBackend, **settings: Any) -> Any:
    made = make(self, **settings)
    # moto makes one up where none was sent
    made.remote_access = sent("remoteAccess")
    made.update_config = sent("updateConfig", {"maxUnavailable": 1})
    return made


def launch_template(
    make: Callable[..., Any],
    self: Any,
    name: str,
    description: str,
    data: dict[str, Any],
    *words: Any,
    **settings: Any,
) -> Any:
    """The template's own tags are not among those that it gives to machines."""
    given = [tags for tags in data.pop("TagSpecifications", []) if tags["ResourceType"] != "launch-template"]
    return make(
        self, name, description, data | ({"TagSpecifications": given} if given else {}), *words, **settings
    )
