"""Steps inside the Kubernetes cluster, where the databases and Airflow can be reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from terraform.deploy.steps import Step
from terraform.deploy.values import Json, text

PSQL_IMAGE = "postgres:17-alpine"
KUBECTL = "kubectl --namespace <airflow_namespace>"


def secret_exists(what: str, name: str, answer: str) -> Step:
    """The value `answer` is empty if the cluster has no such secret. A cluster that gives no answer ends the deployment: taken for
    a no, it would change the password of a database that is in use."""
    return Step(what, f"{KUBECTL} get secret {name} --ignore-not-found --output name", answer=text(answer))


def keep_secret(what: str, name: str, key: str, value: str, unless: str) -> Step:
    command = f"{KUBECTL} create secret generic {name} --from-file={key}=/dev/stdin"
    return Step(what, command, stdin=value, unless=unless)


def run_in_database(
    what: str, name: str, script: str, settings: Mapping[str, str], stdin: str, unless: str = ""
) -> Step:
    """A script of terraform/deploy/databases in a pod of its own. Its standard input: passwords, one on each line."""
    environment = " ".join(
        f"--env {key}={value}" for key, value in {**settings, "PGSSLMODE": "require"}.items()
    )
    return Step(
        what,
        f"{KUBECTL} run {name} --image {PSQL_IMAGE} --restart Never --rm --stdin --quiet --pod-running-timeout 5m "
        f"{environment} --command -- sh -c",
        script=f"terraform/deploy/databases/{script}",
        stdin=stdin,
        unless=unless,
    )


def smoke_run(
    what: str,
    why: str,
    dags: Sequence[str],
    tasks: Sequence[str],
    day: str,
    sample: str = "",
    stdin: Json | None = None,
    unless: str = "",
) -> Step:
    """Tasks of Airflow, where tasks run anyway (LocalExecutor), with room for dbt; `sample` and `stdin` as smoke_run.py has them."""
    return Step(
        what,
        f"{KUBECTL} exec {'--stdin ' if stdin else ''}deployment/airflow-scheduler --container scheduler -- env SMOKE_DAY={day} "
        f"{f'SMOKE_SAMPLE={sample} ' if sample else ''}"
        f"'SMOKE_DAGS={' '.join(dags)}' 'SMOKE_TASKS={' '.join(tasks)}' python -c",
        why=why,
        script="terraform/deploy/smoke_run.py",
        stdin=stdin,
        unless=unless,
    )
