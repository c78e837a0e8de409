"""deploy.sh without a cloud: what a dry run prints, and what reaches the programs that it calls.

Those programs are stand-ins here: one script that writes down its arguments and its input and gives a prepared answer.
What they would have done is not tested.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import hcl2
import pytest

from terraform.tests.cli import CLOUDS, TREE

DEPLOY = TREE / "deploy.sh"
SCRIPTS = [DEPLOY, *sorted((TREE / "deploy/databases").glob("*.sh"))]
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
PROGRAMS = ("terraform", "aws", "gcloud", "docker", "kubectl", "helm", "make", "curl")

STAND_IN = """#!{python} -IS
import json, os, sys
program, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
line = " ".join([program, *arguments])
reads = "/dev/stdin" in line or "-" in arguments or {{"--stdin", "--data-file=-", "--password-stdin"}} & set(arguments)
call = {{"program": program, "arguments": arguments, "stdin": sys.stdin.read() if reads else ""}}
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps(call) + "\\n")
for pattern, answer in json.load(open(os.environ["ANSWERS"])).items():
    if pattern in line:
        if answer is None:
            sys.exit("stand-in: refused")
        print(answer if isinstance(answer, str) else json.dumps(answer))
        break
"""

OUTPUTS = {
    "region": "eu-west-1",
    "raw_uri": "s3://raw",
    "artifacts_uri": "s3://artifacts",
    "source_host": "shop.internal",
    "source_database": "shop",
    "source_user": "airflow",
    "source_secret_id": "projects/p/secrets/movie-analytics-dev-shop-admin",
    "pseudonym_secret_id": "projects/p/secrets/movie-analytics-dev-pseudonym-key/versions/2",
    "pseudonym_key_version": 2,
    "spark_runtime": "emr_serverless",
    "dbt_target": "redshift",
    "warehouse": {
        "REDSHIFT_HOST": "warehouse.internal",
        "REDSHIFT_PORT": "5439",
        "REDSHIFT_DATABASE": "analytics",
    },
    "warehouse_admin_secret_id": "arn:warehouse-admin",
    "warehouse_analysts": ["analysts", "data-science"],
    "warehouse_readers": ["bi"],
    "cluster_name": "movie-analytics-dev",
    "airflow_namespace": "airflow",
    "airflow_service_account": "airflow",
    "airflow_identity": "arn:aws:iam::123456789012:role/movie-analytics-dev-airflow",
    "airflow_variables_prefix": "dev/variables",
    "airflow_connections_prefix": "dev/connections",
    "metadata_host": "metadata.internal",
    "metadata_secret_id": "projects/p/secrets/movie-analytics-dev-airflow-admin",
    "image_repository": "registry.example.com/airflow",
}
ANSWERS = {
    "terraform/aws output -json": {name: {"value": value} for name, value in OUTPUTS.items()},
    "terraform/gcp output -json": {name: {"value": value} for name, value in OUTPUTS.items()},
    "describe-secret": {"a": ["AWSCURRENT", "v1"]},
    "versions list": "1",
    "get-secret-value": {"username": "the_admin", "password": "ADMINS-PASSWORD"},
    "versions access": {"username": "postgres", "password": "ADMINS-PASSWORD"},
    "get-login-password": "REGISTRY-PASSWORD",
    "print-access-token": "ACCESS-TOKEN",
    "get secret": None,  # no secret is in the cluster yet
    "manifest inspect": None,  # no such image yet
    "describe-vpcs": "vpc-1",
    "describe-security-groups": "sg-1 sg-2",
    "describe-security-group-rules": "sgr-1 sgr-2",
}


def dry_run(*arguments: str) -> list[str]:
    """The lines that begin with + or ==."""
    done = subprocess.run(
        [DEPLOY, "--dry-run", *arguments],
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if line.startswith(("+ ", "== "))]


@pytest.fixture(scope="module")
def deploy(tmp_path_factory):
    """deploy("deploy", "aws", "dev", answers={…}) -> its result, with .calls; the same question runs once."""
    folder = tmp_path_factory.mktemp("deploy")
    programs = folder / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        (programs / name).write_text(STAND_IN.format(python=sys.executable))
        (programs / name).chmod(0o755)
    results = {}

    def run(*arguments: str, answers: dict | None = None) -> subprocess.CompletedProcess:
        question = json.dumps([arguments, answers])
        if question not in results:
            results[question] = start(*arguments, answers={**ANSWERS, **(answers or {})})
        return results[question]

    def start(*arguments: str, answers: dict) -> subprocess.CompletedProcess:
        (folder / "answers.json").write_text(json.dumps(answers))
        calls = folder / "calls.jsonl"
        calls.write_text("")
        environment = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "ANSWERS": str(folder / "answers.json"),
        }
        done = subprocess.run(
            [DEPLOY, *arguments],
            check=False,
            env=environment,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )
        done.calls = [json.loads(line) for line in calls.read_text().splitlines()]
        for call in done.calls:
            call["line"] = " ".join([call["program"], *call["arguments"]])
        return done

    return run


def the_call(done: subprocess.CompletedProcess, *words: str) -> dict:
    (found,) = [call for call in done.calls if all(word in call["line"] for word in words)]
    return found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_shell_finds_no_fault(script):
    subprocess.run(["bash", "-n", script], check=True)
    if not SHELLCHECK.exists():
        pytest.skip(f"no shellcheck here: {script.name} was only parsed")
    checked = subprocess.run([SHELLCHECK, script], check=False, text=True, capture_output=True)
    assert checked.returncode == 0, checked.stdout


STEPS = {
    "aws": [
        "terraform -chdir=terraform/aws init -input=false -reconfigure -backend-config=environments/dev.s3.tfbackend",
        "terraform -chdir=terraform/aws apply -input=false -lock-timeout=5m -var-file=environments/dev.tfvars",
        "terraform -chdir=terraform/aws output -json",
        "aws secretsmanager describe-secret --secret-id <pseudonym_secret_id>",
        "aws secretsmanager put-secret-value --secret-id <pseudonym_secret_id> --version-stages AWSCURRENT v<pseudonym_key_version> --secret-string file:///dev/stdin",
        "aws ecr get-login-password",
        "docker login --username AWS --password-stdin",
        "docker build --platform linux/amd64 --file airflow/image/Dockerfile",
        "docker push <image_repository>:",
        "make spark-package",
        "aws s3 cp --recursive dist/spark <artifacts_uri>/spark/",
        "aws eks update-kubeconfig --name <cluster_name> --region <region>",
        "kubectl apply --filename - # namespace <airflow_namespace>, service account <airflow_service_account> as <airflow_identity>",
        "create secret generic airflow-fernet-key --from-file=fernet-key=/dev/stdin",
        "create secret generic airflow-api-secret-key --from-file=api-secret-key=/dev/stdin",
        "create secret generic airflow-jwt-secret --from-file=jwt-secret=/dev/stdin",
        "aws secretsmanager get-secret-value --secret-id <source_secret_id>",
        "run shop-database",
        "aws secretsmanager get-secret-value --secret-id <metadata_secret_id>",
        "run airflow-database",
        "create secret generic airflow-metadata --from-file=connection=/dev/stdin",
        "aws secretsmanager get-secret-value --secret-id <warehouse_admin_secret_id>",
        "run warehouse-roles",
        "helm upgrade airflow airflow --install",
        "airflow tasks test analytics stage_external_sources 2021-01-01",
        "airflow dags details user_purchase_load",
        "airflow dags details staging",
        "airflow dags details analytics",
        "airflow tasks test staging export_purchases 2021-01-01",
    ],
    "gcp": [
        "terraform -chdir=terraform/gcp init -input=false -reconfigure -backend-config=environments/dev.gcs.tfbackend",
        "terraform -chdir=terraform/gcp apply -input=false -lock-timeout=5m -var-file=environments/dev.tfvars",
        "terraform -chdir=terraform/gcp output -json",
        "gcloud secrets versions list <pseudonym_secret_id>",
        "gcloud secrets versions add <pseudonym_secret_id> --data-file=-",
        "gcloud secrets versions describe <pseudonym_secret_id>",
        "gcloud auth print-access-token",
        "curl --silent --show-error --fail --output /dev/null --request PUT --config - https://sqladmin.googleapis.com/",
        "gcloud secrets versions add <source_secret_id> --data-file=-",
        "gcloud auth print-access-token",
        "curl --silent --show-error --fail --output /dev/null --request PUT --config - https://sqladmin.googleapis.com/",
        "gcloud secrets versions add <metadata_secret_id> --data-file=-",
        "gcloud auth configure-docker",
        "docker build --platform linux/amd64 --file airflow/image/Dockerfile",
        "docker push <image_repository>:",
        "make spark-package",
        "gcloud storage cp --recursive dist/spark/\\* <artifacts_uri>/spark/",
        "gcloud container clusters get-credentials <cluster_name> --region <region>",
        "kubectl apply --filename - # namespace <airflow_namespace>, service account <airflow_service_account> as <airflow_identity>",
        "create secret generic airflow-fernet-key",
        "create secret generic airflow-api-secret-key",
        "create secret generic airflow-jwt-secret",
        "gcloud secrets versions access latest --secret <source_secret_id>",
        "run shop-database",
        "gcloud secrets versions access latest --secret <metadata_secret_id>",
        "run airflow-database",
        "create secret generic airflow-metadata",
        "helm upgrade airflow airflow --install",
        "airflow tasks test analytics stage_external_sources 2021-01-01",
        "airflow dags details user_purchase_load",
        "airflow dags details staging",
        "airflow dags details analytics",
        "airflow tasks test staging export_purchases 2021-01-01",
    ],
}  # fmt: skip


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_steps_and_their_order(cloud):
    commands = [line.removeprefix("+ ") for line in dry_run("deploy", cloud, "dev") if line.startswith("+ ")]
    assert [step for step, command in zip(STEPS[cloud], commands, strict=False) if step not in command] == []
    assert len(commands) == len(STEPS[cloud])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_is_asked_of_terraform_is_an_output_in_both_clouds(cloud):
    done = subprocess.run(
        [DEPLOY, "--dry-run", "deploy", cloud, "dev"], text=True, capture_output=True, check=True
    )
    asked = set(re.findall(r"<([a-z_]+)(?:\.\w+)?>", done.stdout)) - {"username", "password"}
    assert len(asked) > 15
    for tree in CLOUDS:
        outputs = hcl2.loads((TREE / tree / "outputs.tf").read_text())["output"]
        assert asked <= {name.strip('"') for output in outputs for name in output}


def test_what_redshift_is_asked_for_is_in_the_warehouses_settings():
    asked = set(re.findall(r"<warehouse\.(\w+)>", "\n".join(dry_run("deploy", "aws", "dev"))))
    settings = (TREE / "modules/aws/warehouse/outputs.tf").read_text()
    assert asked == {"REDSHIFT_HOST", "REDSHIFT_PORT", "REDSHIFT_DATABASE"}
    assert [name for name in asked if not re.search(rf"\b{name}\s*=", settings)] == []


def test_the_tasks_of_the_smoke_run_exist():
    dags = TREE.parent / "airflow/dags"
    code = "".join(file.read_text() for file in dags.rglob("*.py"))
    asked = re.findall(r"airflow tasks test (\w+) (\w+)", "\n".join(dry_run("deploy", "aws", "dev")))
    for dag, task in asked:
        assert (dags / f"{dag}.py").exists() and re.search(rf"\b{task}\b", code), f"{dag}.{task}"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_secret_is_an_argument_or_printed(cloud, deploy):
    done = deploy("deploy", cloud, "dev")
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr + "\n".join(call["line"] for call in done.calls)
    written = [
        call["stdin"]
        for call in done.calls
        if re.search(r"put-secret-value|versions add|create secret", call["line"])
    ]
    secrets = {"ADMINS-PASSWORD", "REGISTRY-PASSWORD", "ACCESS-TOKEN"}
    for value in written:
        secrets |= set(re.findall(r"[0-9a-f]{48,}|[\w-]{43}=", value))
    assert len(secrets) >= 8
    assert [secret for secret in secrets if secret in shown] == []


def test_each_secret_reaches_the_program_that_needs_it(deploy):
    done = deploy("deploy", "aws", "dev")
    key = the_call(done, "put-secret-value")
    assert "--version-stages AWSCURRENT v2" in key["line"] and re.fullmatch("[0-9a-f]{64}", key["stdin"])
    assert the_call(done, "docker login")["stdin"].strip() == "REGISTRY-PASSWORD"
    assert the_call(done, "run shop-database")["stdin"] == "ADMINS-PASSWORD\n"
    admin, airflow = the_call(done, "run airflow-database")["stdin"].splitlines()
    assert admin == "ADMINS-PASSWORD" and re.fullmatch("[0-9a-f]{48}", airflow)
    connection = the_call(done, "create secret generic airflow-metadata")["stdin"]
    assert connection == f"postgresql://airflow:{airflow}@metadata.internal:5432/airflow?sslmode=require"


def test_databases_are_reached_encrypted_and_as_their_own_administrators(deploy):
    done = deploy("deploy", "aws", "dev")
    for name, host in (
        ("shop-database", "shop"),
        ("airflow-database", "metadata"),
        ("warehouse-roles", "warehouse"),
    ):
        pod = the_call(done, f"run {name} ")["line"]
        assert f"--env PGHOST={host}.internal " in pod and "--env PGUSER=the_admin " in pod
        assert "--env PGSSLMODE=require " in pod
    roles = the_call(done, "run warehouse-roles")["arguments"]
    assert {"LOADER=movie-analytics-dev-airflow", "ANALYSTS=analysts data-science", "READERS=bi"} <= set(
        roles
    )
    assert roles[-1] == (TREE / "deploy/databases/redshift.sh").read_text().rstrip("\n")


@pytest.mark.parametrize(
    ("cloud", "known", "written"),
    [
        ("aws", {"describe-secret": {"a": ["v1"], "b": ["AWSCURRENT", "v2"]}}, "put-secret-value"),
        (
            "gcp",
            {"versions list": "2\n1"},
            "versions add projects/p/secrets/movie-analytics-dev-pseudonym-key",
        ),
    ],
)
def test_a_key_of_pseudonyms_that_is_there_is_never_replaced(cloud, known, written, deploy):
    assert any(written in call["line"] for call in deploy("deploy", cloud, "dev").calls)
    assert not any(written in call["line"] for call in deploy("deploy", cloud, "dev", answers=known).calls)


@pytest.mark.parametrize("question", ["describe-secret", "terraform/aws output -json"])
def test_a_question_without_an_answer_is_no_missing_key(question, deploy):
    """Not allowed to look is not the same as not there."""
    done = deploy("deploy", "aws", "dev", answers={question: None})
    assert done.returncode != 0
    assert not any("put-secret-value" in call["line"] for call in done.calls)


def test_what_is_in_the_cluster_is_kept(deploy):
    done = deploy("deploy", "aws", "dev", answers={"get secret": "there"})
    assert done.returncode == 0, done.stderr
    assert not any(
        "create secret" in call["line"] or "airflow-database" in call["line"] for call in done.calls
    )


def test_an_image_that_is_there_is_not_built_again(deploy):
    done = deploy("deploy", "gcp", "dev", answers={"manifest inspect": "there"})
    assert done.returncode == 0, done.stderr
    assert not any(call["line"].startswith(("docker build", "docker push")) for call in done.calls)


def test_one_version_names_image_and_package_and_airflow_knows_it(deploy):
    done = deploy("deploy", "aws", "dev")
    version = the_call(done, "docker push")["line"].rpartition(":")[2]
    assert the_call(done, "aws s3 cp")["arguments"][-1] == f"s3://artifacts/spark/{version}"
    assert {f"PIPELINE_VERSION={version}", "CLOUD=aws"} <= set(the_call(done, "docker build")["arguments"])
    values = json.loads(the_call(done, "helm upgrade")["stdin"])
    environment = {entry["name"]: entry["value"] for entry in values["env"]}
    assert values["images"]["airflow"] == {"repository": "registry.example.com/airflow", "tag": version}
    assert environment.pop("PIPELINE_VERSION") == version
    assert json.loads(environment.pop("AIRFLOW__SECRETS__BACKEND_KWARGS")) == {
        "variables_prefix": "dev/variables",
        "connections_prefix": "dev/connections",
        "region_name": "eu-west-1",
    }
    assert environment == {
        "SPARK_RUNTIME": "emr_serverless",
        "DBT_TARGET": "redshift",
        "START_DATE": "2021-01-01",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": "s3://artifacts/airflow-logs",
    }


def test_a_step_that_fails_ends_the_deployment(deploy):
    done = deploy("deploy", "aws", "dev", answers={"docker push": None})
    assert done.returncode != 0
    assert done.calls[-1]["line"].startswith("docker push")


def test_nothing_is_destroyed_that_is_not_ephemeral(deploy):
    for cloud in CLOUDS:
        done = deploy("destroy", cloud, "prod")
        assert done.returncode == 2 and "ephemeral" in done.stderr
        assert done.calls == []


def test_destroy_takes_down_what_others_made_first(deploy):
    done = deploy("--yes", "destroy", "aws", "dev")
    assert done.returncode == 0, done.stderr
    lines = [call["line"] for call in done.calls]
    last = [
        "helm uninstall airflow --namespace airflow --ignore-not-found --wait",
        "kubectl delete namespace airflow --ignore-not-found",
        "aws ec2 revoke-security-group-ingress --group-id sg-1 --security-group-rule-ids sgr-1 sgr-2",
        "aws ec2 revoke-security-group-ingress --group-id sg-2 --security-group-rule-ids sgr-1 sgr-2",
        "aws ec2 delete-security-group --group-id sg-1",
        "aws ec2 delete-security-group --group-id sg-2",
        "terraform -chdir=terraform/aws destroy -input=false -lock-timeout=5m -var-file=environments/dev.tfvars -auto-approve",
    ]
    assert [line for line in lines if line in last] == last
    assert lines[-1] == last[-1]


def test_destroy_works_where_deploy_never_got_far(deploy):
    done = deploy("destroy", "gcp", "dev", answers={"terraform/gcp output -json": {}})
    assert done.returncode == 0, done.stderr
    assert [call["program"] for call in done.calls] == ["terraform"] * 3  # init, output, destroy


def test_the_bucket_of_the_state_is_private_and_keeps_old_versions():
    aws, gcp = ("\n".join(dry_run("bootstrap", cloud, "dev")) for cloud in CLOUDS)
    for promise in (
        "BlockPublicAcls=true",
        "RestrictPublicBuckets=true",
        "Status=Enabled",
        "LocationConstraint=eu-west-1",
    ):
        assert promise in aws
    for promise in ("--public-access-prevention", "--uniform-bucket-level-access", "--versioning"):
        assert promise in gcp


@pytest.mark.parametrize(
    "arguments", [[], ["deploy"], ["deploy", "azure", "dev"], ["apply", "aws", "dev"], ["--force"]]
)
def test_a_wrong_command_says_how_it_is_used(arguments):
    done = subprocess.run([DEPLOY, *arguments], check=False, text=True, capture_output=True)
    assert done.returncode == 2 and "COMMAND CLOUD ENVIRONMENT" in done.stderr


def test_an_environment_without_a_file_is_named():
    done = subprocess.run([DEPLOY, "plan", "aws", "nowhere"], check=False, text=True, capture_output=True)
    assert done.returncode == 2 and "terraform/aws/environments/nowhere.tfvars is missing" in done.stderr


@pytest.mark.parametrize("cloud", CLOUDS)
def test_environments_say_all_that_has_no_default_and_nothing_else(cloud):
    variables = {
        name.strip('"'): value
        for block in hcl2.loads((TREE / cloud / "variables.tf").read_text())["variable"]
        for name, value in block.items()
    }
    required = {name for name, value in variables.items() if "default" not in value}
    files = sorted((TREE / cloud / "environments").glob("*.tfvars"))
    assert [file.stem for file in files] == ["dev", "prod"]
    for file in files:
        said = set(hcl2.loads(file.read_text()))
        assert required <= said <= variables.keys(), file
        assert not {name for name in said if re.search(r"password|secret|token|key$", name)}
        assert (file.parent / f"{file.stem}.{'s3' if cloud == 'aws' else 'gcs'}.tfbackend").exists()


def test_states_are_locked_and_apart():
    locations = set()
    for file in TREE.glob("*/environments/*.tfbackend"):
        backend = hcl2.loads(file.read_text())
        locations.add((file.parts[-3], str(backend.get("key", backend.get("prefix")))))
        if file.name.endswith(".s3.tfbackend"):
            assert "use_lockfile = true" in re.sub(" +", " ", file.read_text()), file
    assert len(locations) == 4
    for cloud, kind in (("aws", "s3"), ("gcp", "gcs")):
        assert f'backend "{kind}"' in (TREE / cloud / "backend.tf").read_text()
