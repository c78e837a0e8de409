"""What is AWS's own in a deployment. gcp.py has the same names (commands.Cloud)."""

from __future__ import annotations

from collections.abc import Callable

from terraform.deploy.cluster import run_in_database
from terraform.deploy.environment import Environment
from terraform.deploy.steps import Each, Step, Steps
from terraform.deploy.values import Values, filled_argument, login, secret, text

NAME = "aws"
BACKEND_KIND = "s3"
# The annotation that makes a service account a role of IAM.
IDENTITY_ANNOTATION = "eks.amazonaws.com/role-arn"
DERIVED: dict[str, tuple[str, Callable[[str], str]]] = {
    "image_registry": ("image_repository", lambda repository: repository.partition("/")[0]),
    "airflow_role": ("airflow_identity", lambda arn: arn.rpartition("/")[2]),
}


def bootstrap(environment: Environment) -> Steps:
    what = "State: a private bucket that keeps old versions"
    bucket, region = environment.state_bucket, environment.setting("region")
    # The one region that must not be named.
    constraint = f"--create-bucket-configuration LocationConstraint={region}" if region != "us-east-1" else ""
    return [
        Step(what, f"aws s3api create-bucket --bucket {bucket} --region {region} {constraint}"),
        Step(
            what,
            f"aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration "
            "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        ),
        Step(
            what,
            f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled",
        ),
    ]


def write_keys() -> Steps:
    what = "Pseudonym key, unless it exists"
    erased = "Key of the list of erased customers, unless it exists"
    return [
        Step(
            what,
            "aws secretsmanager describe-secret --secret-id <pseudonym_secret_id> "
            "--query VersionIdsToStages --output json",
            answer=_pseudonym_key_exists,
        ),
        Step(
            what,
            "aws secretsmanager put-secret-value --secret-id <pseudonym_secret_id> "
            "--version-stages AWSCURRENT v<pseudonym_key_version> "
            "--secret-string file:///dev/stdin --query VersionStages",
            why="Terraform made the secret without a value. A version is never replaced: pseudonyms depend on it",
            stdin="<pseudonym_key>",
            unless="pseudonym_key_exists",
        ),
        Step(
            erased,
            "aws secretsmanager describe-secret --secret-id <suppression_secret_id> "
            "--query VersionIdsToStages --output json",
            answer=_suppression_key_exists,
        ),
        Step(
            erased,
            "aws secretsmanager put-secret-value --secret-id <suppression_secret_id> "
            "--secret-string file:///dev/stdin --query VersionStages",
            why="It is never replaced: with another key nobody could tell whom to leave out",
            stdin="<suppression_key>",
            unless="suppression_key_exists",
        ),
    ]


def _pseudonym_key_exists(stages: str, values: Values) -> None:
    version = filled_argument("v<pseudonym_key_version>", values)
    values.public["pseudonym_key_exists"] = "yes" if f'"{version}"' in stages else ""


def _suppression_key_exists(stages: str, values: Values) -> None:
    values.public["suppression_key_exists"] = "yes" if '"AWSCURRENT"' in stages else ""


def set_database_passwords(environment: Environment) -> Steps:
    """None: RDS makes and keeps its administrators' passwords."""
    return []


def log_in_to_registry(what: str) -> Steps:
    return [
        Step(what, "aws ecr get-login-password", answer=secret("registry_password")),
        Step(
            what,
            "docker login --username AWS --password-stdin <image_registry>",
            stdin="<registry_password>",
        ),
    ]


def upload(folder: str, target: str) -> str:
    return f"aws s3 cp --recursive {folder} {target}"


def list_files(uri: str) -> str:
    """All of a bucket, which may be empty."""
    return f"aws s3 ls --recursive {uri}"


def log_in_to_cluster(environment: Environment) -> str:
    return "aws eks update-kubeconfig --name <cluster_name> --region <region>"


def read_secret(secret_id: str) -> str:
    return f"aws secretsmanager get-secret-value --secret-id {secret_id} --query SecretString --output text"


def grant_in_warehouse(what: str) -> Steps:
    """Redshift has roles of its own, which Terraform does not know."""
    return [
        Step(what, read_secret("<warehouse_admin_secret_id>"), answer=login("warehouse_admin")),
        run_in_database(
            what,
            "warehouse-roles",
            "redshift.sh",
            {
                "PGHOST": "<warehouse.REDSHIFT_HOST>",
                "PGPORT": "<warehouse.REDSHIFT_PORT>",
                "PGDATABASE": "<warehouse.REDSHIFT_DATABASE>",
                "PGUSER": "<warehouse_admin.username>",
                "LOADER": "<airflow_role>",
                "ANALYSTS": "<warehouse_analysts>",
                "READERS": "<warehouse_readers>",
            },
            stdin="<warehouse_admin.password>\n",
        ),
    ]


def secrets_backend(environment: Environment) -> dict[str, str]:
    """What Airflow's secrets backend needs beside the prefixes."""
    return {"region_name": "<region>"}


def airflow_environment() -> dict[str, str]:
    return {"AWS_DEFAULT_REGION": "<region>"}


def delete_leftovers(environment: Environment) -> Steps:
    """EMR makes security groups in the network, with rules that name each other, and leaves them there."""
    what = "What EMR has made in the network: security groups"
    find_network = Step(
        what,
        "aws ec2 describe-vpcs --query Vpcs[].VpcId --output text --filters Name=tag:Name,Values=<cluster_name>",
        answer=text("vpc"),
        only_if="cluster_name",
    )
    find_groups = Step(
        what,
        "aws ec2 describe-security-groups --query SecurityGroups[].GroupId --output text "
        "--filters Name=vpc-id,Values=<vpc> Name=group-name,Values=ElasticMapReduce-*",
        answer=text("security_groups"),
        only_if="vpc",
    )
    find_rules = Step(
        what,
        "aws ec2 describe-security-group-rules --query SecurityGroupRules[?!IsEgress].SecurityGroupRuleId "
        "--output text --filters Name=group-id,Values=<security_group>",
        answer=text("rules"),
    )
    revoke = Step(
        what,
        "aws ec2 revoke-security-group-ingress --group-id <security_group> --security-group-rule-ids <rule>",
    )
    delete = Step(what, "aws ec2 delete-security-group --group-id <security_group>")
    return [
        find_network,
        find_groups,
        Each("security_group", "security_groups", (find_rules, Each("rule", "rules", (revoke,)))),
        Each("security_group", "security_groups", (delete,)),
    ]
