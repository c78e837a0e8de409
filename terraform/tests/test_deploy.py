"""The deployment without a cloud: what a dry run prints, and what reaches the programs that it calls.

Those programs are stand-ins here: one script that writes down its arguments and its input and gives a prepared answer.
What they would have done is not tested.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2
import pytest

from terraform.deploy.__main__ import CLOUDS as MODULES
from terraform.deploy.__main__ import COMMANDS, steps_of
from terraform.deploy.environment import Environment
from terraform.deploy.steps import Each, Step, Steps, run
from terraform.deploy.values import PLACEHOLDER, DeployError, Values, login, new_secrets, outputs
from terraform.tests.cli import CLOUDS, TREE

ROOT = TREE.parent
# Without packages: it runs before anything is installed.
DEPLOY = [sys.executable, "-S", "-m", "terraform.deploy"]
SCRIPTS = sorted((TREE / "deploy/databases").glob("*.sh"))
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
    "shop_host": "shop.internal",
    "shop_database": "shop",
    "shop_user": "airflow",
    "shop_secret_id": "projects/p/secrets/movie-analytics-dev-shop-admin",
    "pseudonym_secret_id": "projects/p/secrets/movie-analytics-dev-pseudonym-key/versions/2",
    "pseudonym_key_version": 2,
    "suppression_secret_id": "projects/p/secrets/movie-analytics-dev-suppression-key/versions/1",
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
    "terraform/gcp output -json": {
        name: {"value": value} for name, value in (OUTPUTS | {"raw_uri": "gs://raw"}).items()
    },
    "suppression-key/versions/1 --query VersionIdsToStages": {},
    "describe-secret": {"a": ["AWSCURRENT", "v1"]},
    "versions list projects/p/secrets/movie-analytics-dev-suppression-key": "",
    "versions list": "1",
    "get-secret-value": {"username": "the_admin", "password": "ADMINS-PASSWORD"},
    "versions access": {"username": "postgres", "password": "ADMINS-PASSWORD"},
    "get-login-password": "REGISTRY-PASSWORD",
    "print-access-token": "ACCESS-TOKEN",
    "get secret": "",  # no secret is in the cluster yet
    "manifest inspect": None,  # no such image yet
    "ls --recursive s3://raw": "",  # no feeds yet
    "ls --recursive gs://raw": "",
    "make --silent sample-day": {
        "ledger": [
            {
                "table_name": "review_logs",
                "records_delivered": 5,
                "records_quarantined": 1,
                "records_staged": 4,
                "records_in_marts": 3,
            }
        ],
        "user_behavior_metric": [
            {"review_count": 2, "review_score": 1, "amount_spent": "1.250"},
            {"review_count": 1, "review_score": 1, "amount_spent": "-0.125"},
        ],
    },
    "peerings list": "servicenetworking-googleapis-com",
    "describe-vpcs": "vpc-1",
    "describe-security-groups": "sg-1 sg-2",
    "describe-security-group-rules": "sgr-1 sgr-2",
}


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str
    # Of the stand-ins: program, arguments, stdin, and line, the first two as one text.
    calls: list[dict[str, Any]]


Deploy = Callable[..., Done]


def start(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEPLOY, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        check=False,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


def dry_run(*arguments: str) -> str:
    done = start("--dry-run", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands_in(printed: str) -> list[str]:
    """The lines with a command (+) or a question (?), without their marks."""
    return [line[2:] for line in printed.splitlines() if line.startswith(("+ ", "? "))]


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment variables with which a deployment meets stand-ins only."""
    folder = tmp_path_factory.mktemp("deploy")
    programs = folder / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        (programs / name).write_text(STAND_IN.format(python=sys.executable))
        (programs / name).chmod(0o755)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "CALLS": str(folder / "calls.jsonl"),
        "ANSWERS": str(folder / "answers.json"),
    }


@pytest.fixture(scope="module")
def deploy(stand_ins: dict[str, str]) -> Deploy:
    """deploy("deploy", "aws", "dev", answers={…}) -> what it did; the same question runs once."""
    results: dict[str, Done] = {}

    def result(*arguments: str, answers: dict[str, Any] | None = None) -> Done:
        question = json.dumps([arguments, answers])
        if question not in results:
            # the first that fits is taken
            given = answers or {}
            Path(stand_ins["ANSWERS"]).write_text(json.dumps({**given, **ANSWERS, **given}))
            Path(stand_ins["CALLS"]).write_text("")
            done = start(*arguments, environment=stand_ins)
            results[question] = Done(done.returncode, done.stdout, done.stderr, calls(stand_ins))
        return results[question]

    return result


def calls(stand_ins: dict[str, str]) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in Path(stand_ins["CALLS"]).read_text().splitlines()]
    return [{**call, "line": " ".join([call["program"], *call["arguments"]])} for call in found]


def the_call(done: Done, *words: str) -> dict[str, Any]:
    (found,) = [call for call in done.calls if all(word in call["line"] for word in words)]
    return found


def steps(command: str, cloud: str) -> Iterator[Step]:
    """The steps of a command in the order in which they stand, those of a loop once."""
    module = MODULES[cloud]
    return flat(steps_of(command, module, Environment(cloud, "dev", module.BACKEND_KIND), ""))


def flat(steps: Steps) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Each):
            yield from flat(step.steps)
        else:
            yield step


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_shell_finds_no_fault(script: Path) -> None:
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
        "aws secretsmanager describe-secret --secret-id <suppression_secret_id>",
        "aws secretsmanager put-secret-value --secret-id <suppression_secret_id> --secret-string file:///dev/stdin",
        "aws ecr get-login-password",
        "docker login --username AWS --password-stdin <image_registry>",
        "docker manifest inspect <image_repository>:",
        "docker build --platform linux/amd64 --file airflow/image/Dockerfile",
        "docker push <image_repository>:",
        "make spark-package",
        "aws s3 cp --recursive dist/spark <artifacts_uri>/spark/",
        "aws eks update-kubeconfig --name <cluster_name> --region <region>",
        "kubectl apply --filename -",
        "get secret airflow-fernet-key",
        "create secret generic airflow-fernet-key --from-file=fernet-key=/dev/stdin",
        "get secret airflow-api-secret-key",
        "create secret generic airflow-api-secret-key --from-file=api-secret-key=/dev/stdin",
        "get secret airflow-jwt-secret",
        "create secret generic airflow-jwt-secret --from-file=jwt-secret=/dev/stdin",
        "aws secretsmanager get-secret-value --secret-id <shop_secret_id>",
        "run shop-database",
        "get secret airflow-metadata",
        "aws secretsmanager get-secret-value --secret-id <metadata_secret_id>",
        "run airflow-database",
        "create secret generic airflow-metadata --from-file=connection=/dev/stdin",
        "aws secretsmanager get-secret-value --secret-id <warehouse_admin_secret_id>",
        "run warehouse-roles",
        "delete job airflow-run-airflow-migrations --ignore-not-found",
        "helm upgrade airflow airflow --install",
        "exec deployment/airflow-scheduler --container scheduler -- env SMOKE_DAY=2021-01-01",
        "aws s3 ls --recursive <raw_uri>",
        "make --silent sample-day DATE=2021-01-01",
        "aws s3 cp --recursive dist/sample <raw_uri>",
        "exec --stdin deployment/airflow-scheduler --container scheduler -- env SMOKE_DAY=2021-01-01 SMOKE_SAMPLE=",
    ],
    "gcp": [
        "terraform -chdir=terraform/gcp init -input=false -reconfigure -backend-config=environments/dev.gcs.tfbackend",
        "terraform -chdir=terraform/gcp apply -input=false -lock-timeout=5m -var-file=environments/dev.tfvars",
        "terraform -chdir=terraform/gcp output -json",
        "gcloud secrets versions list <pseudonym_secret>",
        "gcloud secrets versions add <pseudonym_secret> --data-file=-",
        "gcloud secrets versions describe <pseudonym_secret_id>",
        "gcloud secrets versions list <suppression_secret>",
        "gcloud secrets versions add <suppression_secret> --data-file=-",
        "gcloud auth print-access-token",
        "curl --silent --show-error --fail --output /dev/null --request PUT --config - 'https://sqladmin.googleapis.com/",
        "gcloud secrets versions add <shop_secret_id> --data-file=-",
        "gcloud auth print-access-token",
        "curl --silent --show-error --fail --output /dev/null --request PUT --config - 'https://sqladmin.googleapis.com/",
        "gcloud secrets versions add <metadata_secret_id> --data-file=-",
        "gcloud auth configure-docker <image_registry>",
        "docker manifest inspect <image_repository>:",
        "docker build --platform linux/amd64 --file airflow/image/Dockerfile",
        "docker push <image_repository>:",
        "make spark-package",
        "gcloud storage cp --recursive 'dist/spark/*' <artifacts_uri>/spark/",
        "gcloud container clusters get-credentials <cluster_name> --region <region>",
        "kubectl apply --filename -",
        "get secret airflow-fernet-key",
        "create secret generic airflow-fernet-key",
        "get secret airflow-api-secret-key",
        "create secret generic airflow-api-secret-key",
        "get secret airflow-jwt-secret",
        "create secret generic airflow-jwt-secret",
        "gcloud secrets versions access latest --secret <shop_secret_id>",
        "run shop-database",
        "get secret airflow-metadata",
        "gcloud secrets versions access latest --secret <metadata_secret_id>",
        "run airflow-database",
        "create secret generic airflow-metadata",
        "delete job airflow-run-airflow-migrations --ignore-not-found",
        "helm upgrade airflow airflow --install",
        "exec deployment/airflow-scheduler --container scheduler -- env SMOKE_DAY=2021-01-01",
        "gcloud storage ls --recursive <raw_uri>",
        "make --silent sample-day DATE=2021-01-01",
        "gcloud storage cp --recursive 'dist/sample/*' <raw_uri>/",
        "exec --stdin deployment/airflow-scheduler --container scheduler -- env SMOKE_DAY=2021-01-01 SMOKE_SAMPLE=",
    ],
}  # fmt: skip


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_steps_and_their_order(cloud: str) -> None:
    printed = commands_in(dry_run("deploy", cloud, "dev"))
    assert [step for step, command in zip(STEPS[cloud], printed, strict=False) if step not in command] == []
    assert len(printed) == len(STEPS[cloud])


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("command", ["bootstrap", "plan", "deploy"])
def test_what_a_dry_run_prints_is_what_runs(command: str, cloud: str, deploy: Deploy) -> None:
    printed, ran = commands_in(dry_run(command, cloud, "dev")), deploy(command, cloud, "dev").calls
    for line, call in zip(printed, ran, strict=True):
        words = " ".join(with_scripts(shlex.split(line)))
        # with changes that are not committed, the version names the second of each of the two runs
        pattern = ".+".join(re.escape(part) for part in re.split(r"<[a-z_.A-Z]+>|(?<=-)20\d{12}", words))
        assert re.fullmatch(pattern, call["line"], re.DOTALL), (line, call["line"])


def with_scripts(words: list[str]) -> Iterator[str]:
    for word in words:
        script = re.fullmatch(r"\$\(cat (.*)\)", word)
        yield (ROOT / script[1]).read_text().rstrip("\n") if script else word


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_asked_of_terraform_is_an_output_in_both_clouds(command: str, cloud: str) -> None:
    asked = {
        name.partition(".")[0]
        for step in steps(command, cloud)
        for name in PLACEHOLDER.findall(f"{step.what} {step.command} {json.dumps(step.stdin)}")
    }
    derived = MODULES[cloud].DERIVED
    asked = {derived[name][0] if name in derived else name for name in asked} - given_by_steps()
    assert len(asked) > {"deploy": 15, "destroy": 1}.get(command, -1)
    for tree in CLOUDS:
        blocks = hcl2.loads((TREE / tree / "outputs.tf").read_text())["output"]
        assert asked <= {name.strip('"') for block in blocks for name in block}


def given_by_steps() -> set[str]:
    """The names whose values come from new secrets, and from what commands answer."""
    answers = {
        "sample_answers",
        "registry_password",
        "access_token",
        "shop_admin",
        "metadata_admin",
        "warehouse_admin",
    }
    loops = {"vpc", "security_group", "rule", "peering"}
    return set(new_secrets().secret) | answers | loops


def test_what_redshift_is_asked_for_is_in_the_warehouses_settings() -> None:
    asked = set(re.findall(r"<warehouse\.(\w+)>", dry_run("deploy", "aws", "dev")))
    settings = (TREE / "modules/aws/warehouse/outputs.tf").read_text()
    assert asked == {"REDSHIFT_HOST", "REDSHIFT_PORT", "REDSHIFT_DATABASE"}
    assert [name for name in asked if not re.search(rf"\b{name}\s*=", settings)] == []


def test_the_tasks_of_the_smoke_run_exist() -> None:
    dags = ROOT / "airflow/dags"
    code = "".join(file.read_text() for file in dags.rglob("*.py"))
    printed = dry_run("deploy", "aws", "dev")
    asked = dict(re.findall(r"'SMOKE_(DAGS|TASKS)=([^']+)'", printed))
    assert {"staging", "analytics"} <= set(asked["DAGS"].split())
    assert all((dags / f"{dag}.py").exists() for dag in asked["DAGS"].split())
    for dag, task in (word.split(".") for word in asked["TASKS"].split()):
        assert dag in asked["DAGS"].split() and re.search(rf"\b{task}\b", code), f"{dag}.{task}"


# What Airflow 3.3.2 prints of a task that it tests; its exit code is 0 each time.
OF_A_TASK = "{time} [info     ] Task instance state updated    [airflow.api_fastapi] loc=task_instances.py:485 new_state={state} rows_affected=1"


@pytest.mark.parametrize(
    ("states", "details", "ends_well", "says"),
    [
        (["success"], "there", True, "staging.export_purchases of 2021-01-01: success"),
        (["failed"], "there", False, "ended failed"),
        (["success", "up_for_retry"], "there", False, "ended up_for_retry"),
        ([], "there", False, "without a state"),
        (["success"], None, False, "Airflow has no DAG staging"),
    ],
)
def test_a_smoke_run_ends_well_only_if_its_tasks_succeed(
    states: list[str], details: str | None, ends_well: bool, says: str, tmp_path: Path
) -> None:
    """Airflow itself ends with 0 after a task that failed."""
    program = tmp_path / "airflow"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    log = "\n".join(OF_A_TASK.format(time="2026-11-29T09:09:08Z", state=state) for state in states)
    (tmp_path / "answers").write_text(json.dumps({"tasks test": log or "no log", "dags details": details}))
    ran = subprocess.run(
        [sys.executable, "-c", (TREE / "deploy/smoke_run.py").read_text()],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"),
            "ANSWERS": str(tmp_path / "answers"), "SMOKE_DAGS": "staging", "SMOKE_DAY": "2021-01-01",
            "SMOKE_TASKS": "staging.export_purchases", "SMOKE_WAIT_SECONDS": "0",
        },
        check=False, text=True, capture_output=True,
    )  # fmt: skip
    assert (ran.returncode == 0) is ends_well, ran.stdout + ran.stderr
    assert says in ran.stdout + ran.stderr


EXPECTED = {"ledger": {"review_logs": [5, 1, 4, 3]}, "fact": [3, 2, "1.125"]}


def run_of(day: str, state: str, start: str = "2999-01-01T00:00:00+00:00") -> dict[str, str]:
    return {"run_id": f"backfill__2021-01-02T03:00:00+00:00__{day}__x", "state": state, "start_date": start}


def logged(answer: Any) -> str:
    """As Airflow prints it, with a line of its log before."""
    return f"2026-11-29T12:27:11Z [warning ] Could not import graphviz.\n{json.dumps(answer)}"


GOOD_SAMPLE = {
    "tasks test --task-params": OF_A_TASK.format(time="2026-11-29T09:09:08Z", state="success"),
    "dags unpause --yes": "",
    "backfill create --dag-id staging --from-date 2021-01-01": "",
    # a run of another day waits for its files; an earlier deployment's run failed
    "list-runs staging": logged(
        [run_of("2026-11-28", "running"), run_of("2021-01-01", "success"), run_of("2021-01-01", "failed", "2026-01-01T00:00:00+00:00")]
    ),
    "list-runs analytics": logged([run_of("2021-01-01", "success")]),
    "variables get warehouse": logged({"REDSHIFT_HOST": "warehouse.internal"}),
    "ref('ledger')": {
        "show": [
            {"table_name": "review_logs", "records_delivered": 5.0, "records_quarantined": 1, "records_staged": 4, "records_in_marts": 3}
        ]
    },
    "ref('fact_movie_analytics')": {"show": [{"reviews": 3, "positive": 2, "amount": "1.12500"}]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({}, ""),
        ({"tasks test --task-params": OF_A_TASK.format(time="", state="failed")}, "load_user_purchase of 2021-01-01 ended failed"),
        ({"dags unpause --yes": None}, "airflow dags unpause --yes staging ended with exit code 1"),
        ({"backfill create --dag-id staging --from-date 2021-01-01": None}, "airflow backfill create"),
        ({"list-runs staging": logged([run_of("2021-01-01", "failed")])}, "staging failed on the sample's day"),
        ({"list-runs staging": logged([run_of("2026-11-28", "success")])}, "staging is not started after 0 s"),
        ({"list-runs staging": logged([run_of("2021-01-01", "running")])}, "staging is running after 0 s"),
        ({"list-runs analytics": logged([run_of("", "failed")])}, "analytics failed on the sample's day"),
        ({"list-runs analytics": logged([run_of("", "success", "2026-01-01T00:00:00+00:00")])}, "analytics is not started"),
        ({"variables get warehouse": None}, "airflow variables get warehouse ended with exit code 1"),
        ({"ref('ledger')": None}, "the warehouse does not answer: stand-in: refused"),
        ({"ref('ledger')": {"show": []}}, "the marts of the sample's day are not what they must be"),
        ({"ref('fact_movie_analytics')": {"show": [{"reviews": 3, "positive": 2, "amount": "1.12501"}]}}, "are not what they must be"),
    ],
)  # fmt: skip
def test_a_day_of_sample_data_ends_well_only_if_the_marts_are_right(
    answers: dict[str, Any], says: str, tmp_path: Path
) -> None:
    for name in ("airflow", "dbt"):
        (tmp_path / name).write_text(STAND_IN.format(python=sys.executable))
        (tmp_path / name).chmod(0o755)
    (tmp_path / "answers").write_text(json.dumps(GOOD_SAMPLE | answers))
    ran = subprocess.run(
        [sys.executable, "-c", (TREE / "deploy/smoke_run.py").read_text()],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"),
            "ANSWERS": str(tmp_path / "answers"), "SMOKE_DAGS": "", "SMOKE_TASKS": "", "SMOKE_DAY": "2021-01-01",
            "SMOKE_SAMPLE": "user_purchase/sample.csv", "SMOKE_WAIT_SECONDS": "0", "JOBS_PYTHON": str(tmp_path / "python"),
        },
        check=False, text=True, capture_output=True, input=json.dumps(EXPECTED),
    )  # fmt: skip
    assert (ran.returncode == 0) is (not says), ran.stdout + ran.stderr
    assert says in ran.stderr
    assert ("the marts hold what the sample's answers say" in ran.stdout) is (not says)


@pytest.mark.parametrize(
    ("cloud", "environment", "files", "is_run"),
    [
        ("aws", "dev", "", True),
        ("aws", "prod", "", False),
        ("aws", "dev", "2026-11-28 03:00:00  12 log_reviews/insert_date=2026-11-28/1.csv", False),
        ("aws", "dev", "2026-11-28 03:00:00  12 user_purchase/sample.csv", True),
        ("gcp", "dev", "", True),
        ("gcp", "dev", "gs://raw/:\n", True),
        ("gcp", "dev", "gs://raw/:\n\ngs://raw/user_purchase/:\ngs://raw/user_purchase/shop.csv", False),
        ("gcp", "dev", "gs://raw/user_purchase/:\ngs://raw/user_purchase/sample.csv", True),
    ],
)
def test_the_sample_runs_only_where_data_may_be_lost_and_no_feeds_are(
    cloud: str, environment: str, files: str, is_run: bool, deploy: Deploy
) -> None:
    done = deploy(
        "deploy",
        cloud,
        environment,
        answers={f"ls --recursive {'s3' if cloud == 'aws' else 'gs'}://raw": files},
    )
    if is_run:
        assert json.loads(the_call(done, "SMOKE_SAMPLE=user_purchase/sample.csv")["stdin"]) == EXPECTED
    assert done.returncode == 0, done.stderr
    assert any("dist/sample" in call["line"] for call in done.calls) is is_run
    assert any("SMOKE_SAMPLE=user_purchase" in call["line"] for call in done.calls) is is_run


def test_a_smoke_run_that_fails_ends_the_deployment(deploy: Deploy) -> None:
    done = deploy("deploy", "aws", "dev", answers={"SMOKE_TASKS": None})
    assert done.returncode != 0 and "Done." not in done.stdout


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_list_names_a_secret_in_a_command(command: str, cloud: str) -> None:
    secret = set(new_secrets().secret) | {"registry_password", "access_token"}
    for step in steps(command, cloud):
        named = set(PLACEHOLDER.findall(f"{step.what} {step.command} {step.why}"))
        assert not named & secret and not [name for name in named if name.endswith(".password")], step
        # What its command prints is not shown.
        assert step.answer or not re.search(
            "get-secret-value|versions access|password$|token$", step.command
        ), step


def test_a_secret_in_a_command_is_refused_before_it_runs(capfd: pytest.CaptureFixture[str]) -> None:
    secrets = new_secrets()
    key = secrets.secret["fernet_key"]
    with pytest.raises(DeployError, match="<fernet_key> is not known here"):
        run([Step("A mistake", "echo <fernet_key>")], secrets, os.environ)
    run([Step("As it should be", "cat", stdin="<fernet_key>", answer=assert_is(key))], secrets, os.environ)
    shown = "".join(capfd.readouterr()) + repr(secrets)
    assert "  < <fernet_key>" in shown and key not in shown


def assert_is(expected: str) -> Callable[[str, Values], None]:
    def check(output: str, _: Values) -> None:
        assert output == expected

    return check


def test_new_secrets_are_new_long_and_all_different() -> None:
    first, second = new_secrets().secret, new_secrets().secret
    assert len({*first.values(), *second.values()}) == 2 * len(first)
    assert min(len(value) for value in first.values()) >= 44
    # Fernet wants 32 bytes in URL-safe Base64.
    assert re.fullmatch("[A-Za-z0-9_-]{43}=", first["fernet_key"])


def test_an_answer_that_is_no_login_is_refused_without_being_quoted() -> None:
    for answer in ("S3CRET", '"S3CRET"', '{"user": "S3CRET"}', '["S3CRET"]'):
        with pytest.raises(DeployError, match="secret of shop_admin is not JSON") as raised:
            login("shop_admin")(answer, Values())
        assert "S3CRET" not in f"{raised.value}{raised.value.__cause__}"


def test_an_output_that_is_not_there_is_named() -> None:
    values = Values()
    outputs({"registry": ("image_repository", str.upper)})('{"a": {"value": ["x", "y"]}}', values)
    assert values.public == {"a": "x y"}
    with pytest.raises(DeployError, match="<registry> is not known here"):
        run([Step("Log in", "true <registry>")], values, os.environ)


def test_a_value_with_quotes_is_one_argument_and_valid_json(capfd: pytest.CaptureFixture[str]) -> None:
    values = Values(public={"name": 'it\'s "a" $(name)'})
    run(
        [Step("Cite", "printf [%s] <name>"), Step("Give", "cat", stdin={"a": ["<name>"]})], values, os.environ
    )
    printed = capfd.readouterr().out
    assert '[it\'s "a" $(name)]' in printed
    assert json.loads(printed.splitlines()[-1]) == {"a": ['it\'s "a" $(name)']}


def test_a_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(DeployError, match="no-such-program is not installed") as raised:
        run([Step("Try", "no-such-program")], Values(), os.environ)
    assert raised.value.exit_code == 127


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_deployment_lets_the_running_command_end_and_starts_no_other(
    number: signal.Signals, stand_ins: dict[str, str], tmp_path: Path
) -> None:
    """Terraform ends its work when it is interrupted; killed in the middle it leaves the state locked."""
    started, ended = tmp_path / "started", tmp_path / "ended"
    terraform = tmp_path / "terraform"
    terraform.write_text(f"#!/bin/sh\ntrap '' INT TERM\ntouch {started}\nsleep 1\ntouch {ended}\n")
    terraform.chmod(0o755)
    environment = {**os.environ, **stand_ins, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [*DEPLOY, "plan", "aws", "dev"], cwd=ROOT, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 600
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, number)  # as a terminal does it: to all of them
    out, error = process.communicate(timeout=600)
    assert ended.exists() and process.returncode == 128 + number, error
    assert "interrupted" in error and " init " in out and " plan " not in out


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_secret_is_an_argument_or_printed(cloud: str, deploy: Deploy) -> None:
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


def test_each_secret_reaches_the_program_that_needs_it(deploy: Deploy) -> None:
    done = deploy("deploy", "aws", "dev")
    erased = the_call(done, "put-secret-value", "movie-analytics-dev-suppression-key")
    key = the_call(done, "put-secret-value", "movie-analytics-dev-pseudonym-key")
    assert re.fullmatch("[0-9a-f]{64}", erased["stdin"]) and erased["stdin"] != key["stdin"]
    assert "--version-stages AWSCURRENT v2" in key["line"] and re.fullmatch("[0-9a-f]{64}", key["stdin"])
    assert the_call(done, "docker login")["stdin"].strip() == "REGISTRY-PASSWORD"
    password, table = the_call(done, "run shop-database")["stdin"].split("\n", 1)
    assert password == "ADMINS-PASSWORD" and "create table if not exists user_purchase (" in table
    admin, airflow = the_call(done, "run airflow-database")["stdin"].splitlines()
    assert admin == "ADMINS-PASSWORD" and re.fullmatch("[0-9a-f]{48}", airflow)
    connection = the_call(done, "create secret generic airflow-metadata")["stdin"]
    assert connection == f"postgresql://airflow:{airflow}@metadata.internal:5432/airflow?sslmode=require"


def test_databases_are_reached_encrypted_and_as_their_own_administrators(deploy: Deploy) -> None:
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
        (
            "aws",
            {"describe-secret": {"a": ["v1"], "b": ["AWSCURRENT", "v2"]}},
            "put-secret-value --secret-id projects/p/secrets/movie-analytics-dev-pseudonym-key",
        ),
        (
            "aws",
            {"suppression-key/versions/1 --query VersionIdsToStages": {"a": ["AWSCURRENT"]}},
            "put-secret-value --secret-id projects/p/secrets/movie-analytics-dev-suppression-key",
        ),
        (
            "gcp",
            {"versions list projects/p/secrets/movie-analytics-dev-suppression-key": "1"},
            "versions add projects/p/secrets/movie-analytics-dev-suppression-key",
        ),
        (
            "gcp",
            {"versions list": "2\n1"},
            "versions add projects/p/secrets/movie-analytics-dev-pseudonym-key",
        ),
    ],
)
def test_a_key_that_is_there_is_never_replaced(
    cloud: str, known: dict[str, Any], written: str, deploy: Deploy
) -> None:
    assert any(written in call["line"] for call in deploy("deploy", cloud, "dev").calls)
    assert not any(written in call["line"] for call in deploy("deploy", cloud, "dev", answers=known).calls)


@pytest.mark.parametrize("question", ["describe-secret", "terraform/aws output -json"])
def test_a_question_without_an_answer_is_no_missing_key(question: str, deploy: Deploy) -> None:
    """Not allowed to look is not the same as not there."""
    done = deploy("deploy", "aws", "dev", answers={question: None})
    assert done.returncode != 0
    assert not any("put-secret-value" in call["line"] for call in done.calls)


def test_what_is_in_the_cluster_is_kept(deploy: Deploy) -> None:
    done = deploy("deploy", "aws", "dev", answers={"get secret": "secret/there"})
    assert done.returncode == 0, done.stderr
    assert not any(
        "create secret" in call["line"] or "airflow-database" in call["line"] for call in done.calls
    )


def test_an_image_that_is_there_is_not_built_again(deploy: Deploy) -> None:
    done = deploy("deploy", "gcp", "dev", answers={"manifest inspect": "there"})
    assert done.returncode == 0, done.stderr
    assert not any(call["line"].startswith(("docker build", "docker push")) for call in done.calls)


def test_one_version_names_image_and_package_and_airflow_knows_it(deploy: Deploy) -> None:
    done = deploy("deploy", "aws", "dev")
    version = the_call(done, "docker push")["line"].rpartition(":")[2]
    assert the_call(done, "aws s3 cp", "dist/spark ")["arguments"][-1] == f"s3://artifacts/spark/{version}"
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


# Not what only asks, where "no" is an answer: an image that is there is pushed again, or refused.
MUST_SUCCEED = [
    (cloud, command)
    for cloud in CLOUDS
    for command in dict.fromkeys(STEPS[cloud])
    if "manifest inspect" not in command and (cloud == "aws" or command not in STEPS["aws"])
]


@pytest.mark.parametrize(("cloud", "command"), MUST_SUCCEED)
def test_a_step_that_fails_ends_the_deployment(cloud: str, command: str, deploy: Deploy) -> None:
    # as far as the arguments are known before anything runs
    known = re.split(r" ?'?(?:<|https:)", command.replace("'dist", "dist"))[0].replace("'", "")
    done = deploy("deploy", cloud, "dev", answers={known: None})
    assert done.returncode != 0 and "Done." not in done.stdout, done.stdout
    assert known in done.calls[-1]["line"]


def test_nothing_is_destroyed_that_is_not_ephemeral(deploy: Deploy) -> None:
    for cloud in CLOUDS:
        done = deploy("destroy", cloud, "prod")
        assert done.returncode == 2 and "ephemeral" in done.stderr
        assert done.calls == []


def test_destroy_takes_down_what_others_made_first(deploy: Deploy) -> None:
    done = deploy("--yes", "destroy", "aws", "dev")
    assert done.returncode == 0, done.stderr
    lines = [call["line"] for call in done.calls]
    last = [
        "helm uninstall airflow --namespace airflow --ignore-not-found --wait",
        "kubectl delete namespace airflow --ignore-not-found",
        "aws ec2 revoke-security-group-ingress --group-id sg-1 --security-group-rule-ids sgr-1",
        "aws ec2 revoke-security-group-ingress --group-id sg-1 --security-group-rule-ids sgr-2",
        "aws ec2 revoke-security-group-ingress --group-id sg-2 --security-group-rule-ids sgr-1",
        "aws ec2 revoke-security-group-ingress --group-id sg-2 --security-group-rule-ids sgr-2",
        "aws ec2 delete-security-group --group-id sg-1",
        "aws ec2 delete-security-group --group-id sg-2",
        "terraform -chdir=terraform/aws destroy -input=false -lock-timeout=5m -var-file=environments/dev.tfvars -auto-approve",
    ]
    assert [line for line in lines if line in last] == last
    assert lines[-1] == last[-1]


def test_destroy_ends_the_peering_that_cloud_sql_would_keep_for_days(deploy: Deploy) -> None:
    done = deploy("--yes", "destroy", "gcp", "dev")
    assert done.returncode == 0, done.stderr
    lines = [call["line"] for call in done.calls]
    ended = (
        "gcloud compute networks peerings delete servicenetworking-googleapis-com "
        "--network movie-analytics-dev --project your-project-id --quiet"
    )
    assert lines[-2] == ended and " destroy " in lines[-1]
    again = deploy("--yes", "destroy", "gcp", "dev", answers={"peerings list": ""})
    assert again.returncode == 0, again.stderr
    assert not any("peerings delete" in call["line"] for call in again.calls)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_destroy_works_where_deploy_never_got_far(cloud: str, deploy: Deploy) -> None:
    """And looks for nothing by a name that is empty."""
    done = deploy("destroy", cloud, "dev", answers={f"terraform/{cloud} output -json": {}})
    assert done.returncode == 0, done.stderr
    assert [call["program"] for call in done.calls] == ["terraform"] * 3  # init, output, destroy


def test_destroy_deletes_no_security_group_where_the_network_is_gone(deploy: Deploy) -> None:
    done = deploy("destroy", "aws", "dev", answers={"describe-vpcs": ""})
    assert done.returncode == 0, done.stderr
    assert not any("security-group" in call["line"] for call in done.calls)


def test_the_bucket_of_the_state_is_private_and_keeps_old_versions() -> None:
    aws, gcp = (dry_run("bootstrap", cloud, "dev") for cloud in CLOUDS)
    for promise in (
        "BlockPublicAcls=true",
        "RestrictPublicBuckets=true",
        "Status=Enabled",
        "LocationConstraint=eu-west-1",
    ):
        assert promise in aws
    for promise in ("--public-access-prevention", "--uniform-bucket-level-access", "--versioning"):
        assert promise in gcp


def test_the_services_that_terraform_needs_to_enable_others_are_on_before() -> None:
    enabled = [word for line in commands_in(dry_run("bootstrap", "gcp", "dev")) for word in line.split()]
    assert {"cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"} <= set(enabled)
    assert "cloudbilling.googleapis.com" in enabled, "the budget reads the project's billing account"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["deploy"],
        ["deploy", "azure", "dev"],
        ["apply", "aws", "dev"],
        ["--force"],
        ["--y", "deploy", "aws", "dev"],
    ],
)
def test_a_wrong_command_says_how_it_is_used(arguments: list[str]) -> None:
    done = start(*arguments)
    assert done.returncode == 2 and "COMMAND CLOUD ENVIRONMENT" in done.stderr


def test_an_environment_without_a_file_is_named() -> None:
    done = start("plan", "aws", "nowhere")
    assert done.returncode == 2 and "terraform/aws/environments/nowhere.tfvars is missing" in done.stderr


@pytest.mark.parametrize(
    ("line", "complaint"),
    [("", "does not set region"), ('region = "eu-west-1 --profile x"\n', "one plain word")],
)
def test_a_setting_that_is_missing_or_no_word_is_named(
    line: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "terraform/aws/environments"
    folder.mkdir(parents=True)
    (folder / "mine.tfvars").write_text(line)
    (folder / "mine.s3.tfbackend").write_text('bucket = "b" # mine\n')
    monkeypatch.setattr("terraform.deploy.environment.ROOT", tmp_path)
    environment = Environment("aws", "mine", "s3")
    assert environment.state_bucket == "b"
    with pytest.raises(DeployError, match="one plain word"):
        Environment("aws", "mine -destroy", "s3")
    with pytest.raises(DeployError, match=f"terraform/aws/environments/mine.tfvars.*{complaint}"):
        MODULES["aws"].bootstrap(environment)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_environments_say_all_that_has_no_default_and_nothing_else(cloud: str) -> None:
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


def test_states_are_locked_and_apart() -> None:
    locations: set[tuple[str, str]] = set()
    for file in TREE.glob("*/environments/*.tfbackend"):
        backend = hcl2.loads(file.read_text())
        locations.add((file.parts[-3], str(backend.get("key", backend.get("prefix")))))
        if file.name.endswith(".s3.tfbackend"):
            assert "use_lockfile = true" in re.sub(" +", " ", file.read_text()), file
    assert len(locations) == 4
    for cloud, kind in (("aws", "s3"), ("gcp", "gcs")):
        assert f'backend "{kind}"' in (TREE / cloud / "backend.tf").read_text()
