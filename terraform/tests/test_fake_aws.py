"""What the stand-in of AWS adds to moto: a service answers with what it was sent, or a second apply would send it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from terraform.tests.emulator import client, fake_aws

Client = Callable[[str], Any]
ROLE = "arn:aws:iam::123456789012:role/any"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/any"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with fake_aws(tmp_path_factory.mktemp("aws") / "log") as endpoint:
        yield lambda service: client(service, endpoint)


@pytest.fixture(scope="module")
def network(aws: Client) -> tuple[str, list[str]]:
    """A VPC and two subnets."""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    blocks = ("10.0.1.0/24", "10.0.2.0/24")
    return vpc, [ec2.create_subnet(VpcId=vpc, CidrBlock=block)["Subnet"]["SubnetId"] for block in blocks]


def test_kubernetes(aws: Client, network: tuple[str, list[str]]) -> None:
    eks, (vpc, subnets) = aws("eks"), network
    access = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    eks.create_cluster(
        name="cluster", roleArn=ROLE, resourcesVpcConfig={"subnetIds": subnets}, accessConfig=access,
        upgradePolicy={"supportType": "STANDARD"},
    )  # fmt: skip
    eks.create_nodegroup(
        clusterName="cluster", nodegroupName="nodes", subnets=subnets, nodeRole=ROLE, updateConfig={"maxUnavailable": 1}
    )  # fmt: skip
    cluster = eks.describe_cluster(name="cluster")["cluster"]
    assert (cluster["accessConfig"], cluster["upgradePolicy"]) == (access, {"supportType": "STANDARD"})
    assert cluster["resourcesVpcConfig"]["vpcId"] == vpc
    nodes = eks.describe_nodegroup(clusterName="cluster", nodegroupName="nodes")["nodegroup"]
    assert nodes["updateConfig"] == {"maxUnavailable": 1} and "remoteAccess" not in nodes


def test_machines_and_their_network(aws: Client, network: tuple[str, list[str]]) -> None:
    ec2, (vpc, _) = aws("ec2"), network
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "b"}]}]
    data = {"MetadataOptions": {"HttpTokens": "required"}}
    made = ec2.create_launch_template(
        LaunchTemplateName="nodes", LaunchTemplateData=data, TagSpecifications=tags
    )
    assert made["LaunchTemplate"]["Tags"] == [{"Key": "a", "Value": "b"}]
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateName="nodes")["LaunchTemplateVersions"]
    assert version["LaunchTemplateData"] == data

    group = ec2.create_security_group(GroupName="shop", Description="shop", VpcId=vpc)["GroupId"]
    source = {"GroupId": group, "Description": "PostgreSQL from Airflow"}
    permission = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [source]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
        "SecurityGroupRules"
    ]
    assert [rule["Description"] for rule in rules if not rule["IsEgress"]] == ["PostgreSQL from Airflow"]


def test_databases(aws: Client) -> None:
    rds = aws("rds")
    rds.create_db_parameter_group(
        DBParameterGroupName="tls", DBParameterGroupFamily="postgres17", Description="TLS"
    )
    parameter = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="tls", Parameters=[parameter])
    found = rds.describe_db_parameters(DBParameterGroupName="tls", Source="user")["Parameters"]
    assert found == [parameter | {"Source": "user"}]
    rds.create_db_instance(
        DBInstanceIdentifier="shop", DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20,
        MasterUsername="admin1", ManageMasterUserPassword=True, EnablePerformanceInsights=True,
        PerformanceInsightsKMSKeyId=KEY,
    )  # fmt: skip
    (database,) = rds.describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"]
    assert (database["PerformanceInsightsEnabled"], database["PerformanceInsightsKMSKeyId"]) == (True, KEY)


def test_spark(aws: Client) -> None:
    emr = aws("emr-serverless")
    id_ = emr.create_application(
        name="spark", releaseLabel="emr-spark-8.0.0", type="SPARK", architecture="ARM64"
    )
    application = emr.get_application(applicationId=id_["applicationId"])["application"]
    assert (application["architecture"], application["releaseLabel"]) == ("ARM64", "emr-spark-8.0.0")


def test_a_provisioned_redshift(aws: Client) -> None:
    redshift = aws("redshift")
    redshift.create_cluster_parameter_group(
        ParameterGroupName="tls", ParameterGroupFamily="redshift-2.0", Description="TLS"
    )
    parameter = {"ParameterName": "require_ssl", "ParameterValue": "true"}
    redshift.modify_cluster_parameter_group(ParameterGroupName="tls", Parameters=[parameter])
    assert redshift.describe_cluster_parameters(ParameterGroupName="tls", Source="user")["Parameters"] == [
        parameter
    ]
    redshift.create_cluster(
        ClusterIdentifier="warehouse", NodeType="ra3.large", MasterUsername="admin1", ManageMasterPassword=True,
        DefaultIamRoleArn=ROLE, MasterPasswordSecretKmsKeyId=KEY,
    )  # fmt: skip
    (cluster,) = redshift.describe_clusters(ClusterIdentifier="warehouse")["Clusters"]
    assert (cluster["DefaultIamRoleArn"], cluster["MasterPasswordSecretKmsKeyId"]) == (ROLE, KEY)
    assert (cluster["MaintenanceTrackName"], cluster["ManualSnapshotRetentionPeriod"]) == ("current", -1)


def test_a_budget(aws: Client) -> None:
    budgets = aws("budgets")
    budget = {
        "BudgetName": "platform",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "300", "Unit": "USD"},
    }
    tags = [{"Key": "Project", "Value": "movie-analytics"}]
    budgets.create_budget(AccountId="123456789012", Budget=budget, ResourceTags=tags)
    found = budgets.list_tags_for_resource(ResourceARN="arn:aws:budgets::123456789012:budget/platform")
    assert found["ResourceTags"] == tags


def test_redshift_serverless_with_a_limit(aws: Client) -> None:
    redshift = aws("redshift-serverless")
    tags = [{"key": "Project", "value": "movie-analytics"}]
    redshift.create_namespace(namespaceName="warehouse")
    workgroup = redshift.create_workgroup(namespaceName="warehouse", workgroupName="warehouse", tags=tags)
    arn = workgroup["workgroup"]["workgroupArn"]
    limit = redshift.create_usage_limit(resourceArn=arn, usageType="serverless-compute", amount=64)
    assert redshift.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    id_ = limit["usageLimit"]["usageLimitId"]
    assert redshift.get_usage_limit(usageLimitId=id_)["usageLimit"]["amount"] == 64
