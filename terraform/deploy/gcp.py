"""What is Google Cloud's own in a deployment. aws.py has the same names (commands.Cloud)."""

from __future__ import annotations

from collections.abc import Callable

from terraform.deploy.environment import Environment
from terraform.deploy.steps import Each, Step, Steps
from terraform.deploy.values import Values, filled_argument, secret, text

NAME = "gcp"
BACKEND_KIND = "gcs"
# The annotation that makes a Kubernetes service account one of Google's.
IDENTITY_ANNOTATION = "iam.gke.io/gcp-service-account"


def _instance(secret_id: str) -> str:
    """projects/…/secrets/INSTANCE-admin -> INSTANCE"""
    return secret_id.rpartition("/")[2].removesuffix("-admin")


DERIVED: dict[str, tuple[str, Callable[[str], str]]] = {
    "image_registry": ("image_repository", lambda repository: repository.partition("/")[0]),
    "pseudonym_secret": ("pseudonym_secret_id", lambda version: version.rpartition("/versions/")[0]),
    "suppression_secret": ("suppression_secret_id", lambda version: version.rpartition("/versions/")[0]),
    "shop_instance": ("shop_secret_id", _instance),
    "metadata_instance": ("metadata_secret_id", _instance),
}


def bootstrap(environment: Environment) -> Steps:
    what = "State: a private bucket that keeps old versions"
    bucket, region = f"gs://{environment.state_bucket}", environment.setting("region")
    project = environment.setting("gcp_project_id")
    return [
        Step(
            what,
            "gcloud services enable cloudbilling.googleapis.com cloudresourcemanager.googleapis.com "
            f"serviceusage.googleapis.com --project {project}",
            why="Terraform asks these before it can enable any",
        ),
        Step(
            what,
            f"gcloud storage buckets create {bucket} --project {project} --location {region} "
            "--uniform-bucket-level-access --public-access-prevention",
        ),
        Step(what, f"gcloud storage buckets update {bucket} --versioning"),
    ]


def write_keys() -> Steps:
    what = "Pseudonym key, unless it exists"
    erased = "Key of the list of erased customers, unless it exists"
    return [
        Step(
            what,
            "gcloud secrets versions list <pseudonym_secret> --format 'value(name.basename())'",
            answer=_pseudonym_key_exists,
        ),
        Step(
            what,
            "gcloud secrets versions add <pseudonym_secret> --data-file=-",
            why="Terraform made the secret without a value. A version is never replaced: pseudonyms depend on it",
            stdin="<pseudonym_key>",
            unless="pseudonym_key_exists",
        ),
        Step(
            what,
            "gcloud secrets versions describe <pseudonym_secret_id> --format 'value(state)'",
            why="Google numbers the versions: pseudonym_key_version has to be the next number",
            unless="pseudonym_key_exists",
        ),
        Step(
            erased,
            "gcloud secrets versions list <suppression_secret> --format 'value(name.basename())'",
            answer=text("suppression_key_exists"),
        ),
        Step(
            erased,
            "gcloud secrets versions add <suppression_secret> --data-file=-",
            why="It is never replaced: with another key nobody could tell whom to leave out",
            stdin="<suppression_key>",
            unless="suppression_key_exists",
        ),
    ]


def _pseudonym_key_exists(versions: str, values: Values) -> None:
    exists = filled_argument("<pseudonym_key_version>", values) in versions.splitlines()
    values.public["pseudonym_key_exists"] = "yes" if exists else ""


def set_database_passwords(environment: Environment) -> Steps:
    """Cloud SQL has to be given its administrators' passwords. Each deployment gives new ones."""
    instances = (
        f"https://sqladmin.googleapis.com/v1/projects/{environment.setting('gcp_project_id')}/instances"
    )
    return [step for database in ("shop", "metadata") for step in _set_database_password(database, instances)]


def _set_database_password(database: str, instances: str) -> list[Step]:
    what = f"Password of the administrator of <{database}_instance>"
    return [
        Step(what, "gcloud auth print-access-token", answer=secret("access_token")),
        Step(
            what,
            "curl --silent --show-error --fail --output /dev/null --request PUT --config - "
            f"{instances}/<{database}_instance>/users?name=postgres",
            why="gcloud takes a password only as an argument, where every process of the machine can read it",
            stdin='header = "Authorization: Bearer <access_token>"\n'
            'header = "Content-Type: application/json"\n'
            f'data = "{{\\"password\\":\\"<{database}_password>\\"}}"\n',
        ),
        Step(
            what,
            f"gcloud secrets versions add <{database}_secret_id> --data-file=-",
            stdin={"username": "postgres", "password": f"<{database}_password>"},
        ),
    ]


def log_in_to_registry(what: str) -> Steps:
    return [Step(what, "gcloud auth configure-docker <image_registry> --quiet")]


def upload(folder: str, target: str) -> str:
    return f"gcloud storage cp --recursive {folder}/* {target}/"


def list_files(uri: str) -> str:
    """All of a bucket, which may be empty."""
    return f"gcloud storage ls --recursive {uri}"


def log_in_to_cluster(environment: Environment) -> str:
    project = environment.setting("gcp_project_id")
    return f"gcloud container clusters get-credentials <cluster_name> --region <region> --project {project}"


def read_secret(secret_id: str) -> str:
    return f"gcloud secrets versions access latest --secret {secret_id}"


def grant_in_warehouse(what: str) -> Steps:
    """None: on BigQuery Terraform defines who sees what."""
    return []


def secrets_backend(environment: Environment) -> dict[str, str]:
    """What Airflow's secrets backend needs beside the prefixes."""
    return {"sep": "-", "project_id": environment.setting("gcp_project_id")}


def airflow_environment() -> dict[str, str]:
    return {"AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": "google-cloud-platform://"}


def delete_leftovers(environment: Environment) -> Steps:
    """The peering with the databases' network: Cloud SQL keeps its side for days, and the network with it."""
    what = "Peering of the network with Cloud SQL's"
    network = f"--network <cluster_name> --project {environment.setting('gcp_project_id')}"
    find = Step(
        what,
        f"gcloud compute networks peerings list {network} --flatten peerings[] "
        "--filter peerings.name=servicenetworking-googleapis-com --format value(peerings.name)",
        answer=text("peerings"),
        only_if="cluster_name",
    )
    delete = Step(what, f"gcloud compute networks peerings delete <peering> {network} --quiet")
    return [find, Each("peering", "peerings", (delete,))]
