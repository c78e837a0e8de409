"""The commands plan, deploy and destroy as lists of steps. What differs between the clouds, bootstrap above all, is in the
cloud's module."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from terraform.deploy.cluster import KUBECTL, keep_secret, run_in_database, secret_exists, smoke_run
from terraform.deploy.environment import Environment
from terraform.deploy.steps import ROOT, Step, Steps
from terraform.deploy.values import DeployError, Json, Values, login, outputs

CHART_VERSION = "1.22.0"


class Cloud(Protocol):
    """What aws.py and gcp.py have in common. A method that returns a string gives a step's command."""

    NAME: str
    BACKEND_KIND: str
    IDENTITY_ANNOTATION: str
    # Values that are parts of Terraform's outputs: name -> the output, and how to take the part.
    DERIVED: dict[str, tuple[str, Callable[[str], str]]]

    def bootstrap(self, environment: Environment) -> Steps: ...
    def write_keys(self) -> Steps: ...
    def set_database_passwords(self, environment: Environment) -> Steps: ...
    def log_in_to_registry(self, what: str) -> Steps: ...
    def upload(self, folder: str, target: str) -> str: ...
    def list_files(self, uri: str) -> str: ...
    def log_in_to_cluster(self, environment: Environment) -> str: ...
    def read_secret(self, secret_id: str) -> str: ...
    def grant_in_warehouse(self, what: str) -> Steps: ...
    def secrets_backend(self, environment: Environment) -> Mapping[str, str]: ...
    def airflow_environment(self) -> Mapping[str, str]: ...
    def delete_leftovers(self, environment: Environment) -> Steps: ...


def plan(environment: Environment) -> Steps:
    return [
        initialise(environment),
        Step(
            "Plan",
            f"{environment.terraform} plan -input=false -no-color -lock-timeout=5m -var-file={environment.variables}",
        ),
    ]


def deploy(cloud: Cloud, environment: Environment, approve: str) -> Steps:
    """`approve` is -auto-approve, or nothing, so that Terraform asks for a yes."""
    version = commit()
    return [
        initialise(environment),
        Step("Platform", apply("apply", environment, approve)),
        read_outputs(cloud, environment),
        *cloud.write_keys(),
        *cloud.set_database_passwords(environment),
        *publish_image(cloud, version),
        *publish_spark_package(cloud, version),
        Step("Cluster", cloud.log_in_to_cluster(environment)),
        *prepare_namespace(cloud),
        *prepare_databases(cloud),
        *install_airflow(cloud, environment, version),
        check(environment),
        *(sample_day(cloud, environment) if environment.is_ephemeral else []),
        Step(
            "Done. The web interface, at localhost:8080: "
            "kubectl --namespace <airflow_namespace> port-forward service/airflow-api-server 8080"
        ),
        Step("Docs and report of the last day: <artifacts_uri>/docs/"),
    ]


def destroy(cloud: Cloud, environment: Environment, approve: str) -> Steps:
    """Raises DeployError for an environment that is not ephemeral."""
    if not environment.is_ephemeral:
        raise DeployError(
            f"{environment.tree}/{environment.variables} does not set ephemeral = true: its data would be lost. "
            "Set it, deploy, and try again"
        )
    return [
        initialise(environment),
        read_outputs(cloud, environment),
        *uninstall_airflow(cloud, environment),
        *cloud.delete_leftovers(environment),
        Step("Everything that Terraform has made", apply("destroy", environment, approve)),
    ]


def commit() -> str:
    """The commit, and the time if something is not committed: two such images must not have one name."""
    dirty = f"--dirty=-{datetime.now(UTC):%Y%m%d%H%M%S}"
    command = ["git", "describe", "--always", "--abbrev=12", dirty]
    try:
        described = subprocess.run(command, cwd=ROOT, check=True, encoding="utf-8", stdout=subprocess.PIPE)
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise DeployError(
            "git cannot name the commit, which names the image: deploy from a checkout"
        ) from None
    return described.stdout.strip()


def initialise(environment: Environment) -> Step:
    return Step(
        f"Terraform: the state of {environment.cloud}, {environment.name}",
        f"{environment.terraform} init -input=false -reconfigure -backend-config={environment.backend}",
    )


def apply(command: str, environment: Environment, approve: str) -> str:
    variables = f"-var-file={environment.variables}"
    return f"{environment.terraform} {command} -input=false -lock-timeout=5m {variables} {approve}"


def read_outputs(cloud: Cloud, environment: Environment) -> Step:
    return Step("Terraform's outputs", f"{environment.terraform} output -json", answer=outputs(cloud.DERIVED))


def publish_image(cloud: Cloud, version: str) -> Steps:
    what = "Airflow's image, unless it exists"
    image = f"<image_repository>:{version}"
    return [
        *cloud.log_in_to_registry(what),
        Step(what, f"docker manifest inspect {image}", asks="image_exists"),
        Step(
            what,
            "docker build --platform linux/amd64 --file airflow/image/Dockerfile "
            f"--build-arg CLOUD={cloud.NAME} --build-arg PIPELINE_VERSION={version} --tag {image} .",
            unless="image_exists",
        ),
        Step(what, f"docker push {image}", unless="image_exists"),
    ]


def publish_spark_package(cloud: Cloud, version: str) -> Steps:
    what = "Spark package"
    return [
        Step(what, "make spark-package"),
        Step(what, cloud.upload("dist/spark", f"<artifacts_uri>/spark/{version}")),
    ]


def prepare_namespace(cloud: Cloud) -> Steps:
    what = "Airflow's namespace, service account and own keys, unless they exist"
    namespace: Json = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "<airflow_namespace>"}}
    service_account: Json = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "<airflow_service_account>",
            "namespace": "<airflow_namespace>",
            "annotations": {cloud.IDENTITY_ANNOTATION: "<airflow_identity>"},
        },
    }
    manifest: Json = {"apiVersion": "v1", "kind": "List", "items": [namespace, service_account]}
    steps = [Step(what, "kubectl apply --filename -", stdin=manifest)]
    for key in ("fernet-key", "api-secret-key", "jwt-secret"):
        value = key.replace("-", "_")
        steps += [
            secret_exists(what, f"airflow-{key}", f"{value}_exists"),
            keep_secret(what, f"airflow-{key}", key, f"<{value}>", unless=f"{value}_exists"),
        ]
    return steps


# One definition for the shops that this project makes.
SHOP_TABLE = ROOT / "spark_prep/shop/user_purchase.sql"


def prepare_databases(cloud: Cloud) -> Steps:
    what = "Databases: users, grants, the shop's table"
    exists = "metadata_secret_exists"
    return [
        Step(what, cloud.read_secret("<shop_secret_id>"), answer=login("shop_admin")),
        run_in_database(
            what,
            "shop-database",
            "shop.sh",
            {
                "PGHOST": "<shop_host>",
                "PGDATABASE": "<shop_database>",
                "PGUSER": "<shop_admin.username>",
                "AIRFLOW_USER": "<shop_user>",
            },
            stdin="<shop_admin.password>\n" + SHOP_TABLE.read_text(),
        ),
        secret_exists(what, "airflow-metadata", exists),
        Step(what, cloud.read_secret("<metadata_secret_id>"), answer=login("metadata_admin"), unless=exists),
        run_in_database(
            what,
            "airflow-database",
            "metadata.sh",
            {"PGHOST": "<metadata_host>", "PGDATABASE": "postgres", "PGUSER": "<metadata_admin.username>"},
            stdin="<metadata_admin.password>\n<airflow_password>\n",
            unless=exists,
        ),
        keep_secret(
            what,
            "airflow-metadata",
            "connection",
            "postgresql://airflow:<airflow_password>@<metadata_host>:5432/airflow?sslmode=require",
            unless=exists,
        ),
        *cloud.grant_in_warehouse(what),
    ]


def install_airflow(cloud: Cloud, environment: Environment, version: str) -> Steps:
    """The official chart with the values of airflow/helm and, as the last ones, what only the deployment knows."""
    variables = airflow_environment(cloud, environment, version)
    delete_job = Step(
        "Airflow",
        f"{KUBECTL} delete job airflow-run-airflow-migrations --ignore-not-found",
        why="Kubernetes does not let a job be changed. Were it deleted automatically, Helm 4 would wait for it in vain",
    )
    install = Step(
        "Airflow",
        f"helm upgrade airflow airflow --install --repo https://airflow.apache.org --version {CHART_VERSION} "
        "--namespace <airflow_namespace> "
        f"--values airflow/helm/values.yaml --values airflow/helm/values-{cloud.NAME}.yaml --values - "
        "--wait --timeout 20m",
        stdin={
            "images": {"airflow": {"repository": "<image_repository>", "tag": version}},
            "env": [{"name": name, "value": value} for name, value in variables.items()],
        },
    )
    return [delete_job, install]


def airflow_environment(cloud: Cloud, environment: Environment, version: str) -> dict[str, str]:
    secrets_backend = {
        "variables_prefix": "<airflow_variables_prefix>",
        "connections_prefix": "<airflow_connections_prefix>",
        **cloud.secrets_backend(environment),
    }
    return {
        "PIPELINE_VERSION": version,
        "SPARK_RUNTIME": "<spark_runtime>",
        "DBT_TARGET": "<dbt_target>",
        "START_DATE": environment.setting("start_date"),
        **cloud.airflow_environment(),
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(secrets_backend),
        "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": "<artifacts_uri>/airflow-logs",
    }


def check(environment: Environment) -> Step:
    return smoke_run(
        "Smoke run: external tables, export of the first day",
        why="as the tasks do it: DAGs, settings from the secrets backend, identity of the pod, shop, lake, dbt, warehouse. "
        "Needs no vendor's file and starts no Spark",
        dags=("user_purchase_load", "staging", "analytics", "verification"),
        tasks=("verification.stage_external_sources", "staging.export_purchases"),
        day=environment.setting("start_date"),
    )


# Below raw_uri; by it a later deployment knows that the feeds there are the sample.
SAMPLE_PURCHASES = "user_purchase/sample.csv"
FEEDS_OF_YOUR_OWN = "there_are_feeds_of_your_own"


def sample_day(cloud: Cloud, environment: Environment) -> Steps:
    """For a stack that may lose its data, unless there are feeds of its own: the first day, from the vendors' files to the marts."""
    what = "A day of sample data, from the feeds to the marts"
    day, own = environment.setting("start_date"), FEEDS_OF_YOUR_OWN
    return [
        Step(what, cloud.list_files("<raw_uri>"), answer=feeds_of_your_own),
        Step(what, f"make --silent sample-day DATE={day}", answer=sample_answers, unless=own),
        Step(what, cloud.upload("dist/sample", "<raw_uri>"), unless=own),
        smoke_run(
            what,
            why="switches staging and analytics on. Spark runs as on any day; an hour at most for each of the two",
            dags=(),
            tasks=(),
            day=day,
            sample=SAMPLE_PURCHASES,
            stdin="<sample_answers>",
            unless=own,
        ),
    ]


def feeds_of_your_own(output: str, values: Values) -> None:
    """Of the list of files, in which gcloud also has lines that end with a colon, for folders."""
    files = [line for line in output.splitlines() if line and not line.endswith((":", "/"))]
    is_sample = any(file.endswith(SAMPLE_PURCHASES) for file in files)
    values.public[FEEDS_OF_YOUR_OWN] = "yes" if files and not is_sample else ""


def sample_answers(output: str, values: Values) -> None:
    """Of all that the sample knows about itself (the last line), what smoke_run.py compares."""
    answers = json.loads(output.splitlines()[-1])
    figures = ("delivered", "quarantined", "staged", "in_marts")
    ledger = {row["table_name"]: [row[f"records_{name}"] for name in figures] for row in answers["ledger"]}
    customers = answers["user_behavior_metric"]
    fact = [
        sum(row["review_count"] for row in customers),
        sum(row["review_score"] for row in customers),
        str(sum(Decimal(row["amount_spent"]) for row in customers)),
    ]
    values.public["sample_answers"] = json.dumps({"ledger": ledger, "fact": fact})


def uninstall_airflow(cloud: Cloud, environment: Environment) -> Steps:
    """Nothing where a deployment failed early and left no cluster."""
    what = "What Kubernetes has made in the cloud: volumes"
    there = "cluster_name"
    helm = "helm uninstall airflow --namespace <airflow_namespace> --ignore-not-found --wait"
    return [
        Step("Cluster", cloud.log_in_to_cluster(environment), only_if=there),
        Step(what, helm, only_if=there),
        Step(what, "kubectl delete namespace <airflow_namespace> --ignore-not-found", only_if=there),
    ]
