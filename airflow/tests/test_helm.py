"""The Helm values and the image: what can be known without a cluster, a registry or the chart.

CHART lists the chart's keys (1.22.0, https://airflow.apache.org/docs/helm-chart/1.22.0/parameters-ref.html) that the values
use. A key that is not on it was not looked up by anyone: the chart would refuse it, or take no notice.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, UV, installs, shared_settings
from terraform.deploy import aws, gcp
from terraform.deploy.commands import airflow_environment
from terraform.deploy.environment import Environment

HELM, IMAGE = ROOT / "airflow/helm", ROOT / "airflow/image"
CLOUDS = {"aws": "emr_serverless", "gcp": "dataproc_serverless"}
# Below these, whatever Airflow or Kubernetes has.
FREE = ("config.", "securityContexts.", "volumes", "volumeMounts")
COMPONENTS = ("apiServer", "scheduler", "dagProcessor", "triggerer", "migrateDatabaseJob")
CHART = {
    "airflowVersion", "executor", "allowPodLaunching", "uid", "gid", "postgresql.enabled", "redis.enabled", "statsd.enabled",
    "data.metadataSecretName", "fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName", "logs.persistence.enabled",
    "createUserJob.enabled", "dagProcessor.enabled", "triggerer.enabled", "triggerer.persistence.enabled",
    "workers.celery.persistence.enabled", "migrateDatabaseJob.useHelmHooks", "migrateDatabaseJob.applyCustomEnv",
    "migrateDatabaseJob.ttlSecondsAfterFinished",
    *(f"{component}.serviceAccount.{key}" for component in COMPONENTS for key in ("create", "name")),
    *(f"{component}.logGroomerSidecar.enabled" for component in ("scheduler", "dagProcessor", "triggerer")),
    *(f"{c}.resources.{kind}.{what}" for c in COMPONENTS for kind in ("requests", "limits") for what in ("cpu", "memory")),
}  # fmt: skip


@pytest.fixture(params=CLOUDS)
def values(request) -> dict:
    """The two files as Helm merges them, and what terraform/deploy adds."""
    files = [HELM / "values.yaml", HELM / f"values-{request.param}.yaml"]
    merged = {}
    for file in files:
        merge(merged, yaml.safe_load(file.read_text()))
    return merged


def merge(into: dict, values: dict) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def leaves(values: dict, path: str = "") -> dict[str, object]:
    found = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{path}{key}.")
        else:
            found[f"{path}{key}"] = value
    return found


def test_the_values_use_known_keys_of_the_chart(values):
    assert {key for key in leaves(values) if not key.startswith(FREE)} - CHART == set()


def test_airflow_has_every_setting(values):
    """In its own configuration or a provider's, by the versions that are locked."""
    from airflow.configuration import conf

    known = conf.configuration_description
    unknown = [
        f"{section}.{name}"
        for section, settings in values["config"].items()
        for name in settings
        if name not in known.get(section, {}).get("options", {})
    ]
    assert unknown == []


def test_the_airflow_of_the_chart_is_the_locked_one(values):
    (locked,) = re.findall(
        r"^apache-airflow==(\S+)", (ROOT / "requirements/airflow-aws.txt").read_text(), re.MULTILINE
    )
    assert values["airflowVersion"] == locked


def test_no_secret_stands_in_the_values(values):
    """Secrets are named, and nothing that looks like one is there."""
    flat = leaves(values)
    for key, value in flat.items():
        if re.search(r"(?i)secret|password|fernet|key$", key.split(".")[-1]):
            assert key.endswith("SecretName") and re.fullmatch(r"airflow-[a-z-]+", value), key
    for text in (file.read_text() for file in HELM.glob("*.yaml")):
        assert not re.search(r"://[^\s/]+:[^\s/]+@|AKIA|BEGIN [A-Z ]*KEY|[A-Za-z0-9+/_-]{40,}=", text)
    assert {flat[f"{name}SecretName"] for name in ("fernetKey", "apiSecretKey", "jwt", "data.metadata")} == {
        "airflow-fernet-key", "airflow-api-secret-key", "airflow-jwt-secret", "airflow-metadata",
    }  # fmt: skip
    # the chart's own first user has the password admin, its own database has postgres
    assert not flat["createUserJob.enabled"] and not flat["postgresql.enabled"]
    assert values["config"]["core"]["auth_manager"].endswith("FabAuthManager")


def test_every_part_has_limits_and_no_rights(values):
    for component in COMPONENTS:
        resources = values[component]["resources"]
        assert resources["limits"].keys() == resources["requests"].keys() == {"cpu", "memory"}, component
        assert values[component]["serviceAccount"] == {"create": False, "name": "airflow"}, component
    pod, container = values["securityContexts"]["pod"], values["securityContexts"]["containers"]
    assert pod["runAsNonRoot"] and pod["runAsUser"] == values["uid"] == 50000
    assert container["readOnlyRootFilesystem"] and not container["allowPrivilegeEscalation"]
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert [mount["mountPath"] for mount in values["volumeMounts"]] == ["/tmp"]
    assert {mount["name"] for mount in values["volumeMounts"]} == {
        volume["name"] for volume in values["volumes"]
    }


def test_secrets_and_logs_are_the_clouds(values):
    from airflow.sdk.module_loading import import_string

    secrets, logging = values["config"]["secrets"], values["config"]["logging"]
    prefixes = json.loads(secrets["backend_kwargs"])
    assert {"connections_prefix", "variables_prefix"} <= prefixes.keys()
    assert logging["remote_logging"] == "True" and logging["remote_log_conn_id"]
    if "amazon" in secrets["backend"]:
        backend = import_string(secrets["backend"])(**prefixes)
        assert (backend.connections_prefix, backend.variables_prefix) == (
            "airflow/connections",
            "airflow/variables",
        )


def environment_variables() -> set[str]:
    """All that the code reads when it is parsed, and dbt's profiles."""
    code = "".join(file.read_text() for file in (ROOT / "airflow/dags").rglob("*.py"))
    return set(re.findall(r"os\.environ(?:\.get\(|\[)['\"]([A-Z_]+)['\"]", code)) | set(
        re.findall(r"env_var\('([A-Z_]+)'", (ROOT / "profiles_template.yml").read_text())
    )


def test_every_environment_variable_is_one_that_something_reads(values):
    """`env` is the deployment's alone, since Helm does not merge lists."""
    assert not {"env", "extraEnv", "extraEnvFrom"} & values.keys()
    said = (HELM / "values.yaml").read_text().partition("\n\n")[0]
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", said))
    for cloud in (aws, gcp):
        environment = Environment(cloud.NAME, "dev", cloud.BACKEND_KIND)
        named |= set(airflow_environment(cloud, environment, version="any"))
    of_others = {"AWS_DEFAULT_REGION", "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"}
    unread = {
        name for name in named - environment_variables() - of_others if not name.startswith("AIRFLOW__")
    }
    assert len(named) > 12 and unread == set()


# The image


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", (IMAGE / "Dockerfile").read_text()))
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def copied() -> list[tuple[str, str]]:
    """(source, target) of what is copied from the repository."""
    return [tuple(rest.split()) for name, rest in instructions() if name == "COPY" and "--from" not in rest]


def environment() -> dict[str, str]:
    pairs = " ".join(rest for name, rest in instructions() if name == "ENV").split()
    return dict(pair.split("=", 1) for pair in pairs)


def test_what_the_image_copies_is_there_and_not_ignored():
    ignored = (IMAGE / "Dockerfile.dockerignore").read_text().splitlines()
    for source, _ in copied():
        assert (ROOT / source).exists(), source
        assert any(Path(source).is_relative_to(line[1:]) for line in ignored if line.startswith("!")), source


def test_the_image_has_the_settings_that_hold_everywhere():
    assert shared_settings().items() <= environment().items()


def test_the_image_does_not_run_as_root():
    users = [rest for name, rest in instructions() if name == "USER"]
    assert users == ["50000"]


def test_the_image_installs_the_uv_of_the_makefile():
    (version,) = re.findall(r"^UV_VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"uv=={version}" in (IMAGE / "Dockerfile").read_text()


@pytest.mark.slow
def test_what_is_installed_works_on_a_read_only_file_system(tmp_path):
    """The Dockerfile's own steps, in a folder that plays /opt/pipeline; then nothing in it may be written to."""
    pipeline = tmp_path / "pipeline"
    for source, target in copied():
        if target.startswith("/"):
            continue
        kind = shutil.copytree if (ROOT / source).is_dir() else shutil.copyfile
        (pipeline / target).parent.mkdir(parents=True, exist_ok=True)
        ignored = {
            "ignore": shutil.ignore_patterns("__pycache__", "target", "logs", "profiles.yml", "dbt.log")
        }
        kind(ROOT / source, pipeline / target, **(ignored if kind is shutil.copytree else {}))
    # nothing of this repository's own Airflow
    of_tests = ("AIRFLOW", "DBT_", "JOBS_PYTHON", "START_DATE", "PYTHON")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(of_tests)}
    plain |= {"PATH": f"{Path(UV).parent}:{plain['PATH']}", "PYTHON": f"{ROOT}/.venv/bin/python"}

    def run(*command, **settings) -> str:
        ran = subprocess.run(
            command, cwd=tmp_path, env={**plain, **settings}, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, (ran.stdout + ran.stderr)[-3000:]
        return ran.stdout

    installs([pipeline / "airflow/image/install.sh", "aws"], env=plain | {"UV_VENV_CLEAR": "1"})
    before = {file: file.stat().st_mtime_ns for file in pipeline.rglob("*") if file.is_file()}
    # As in a container: the image's settings, two folders to write to, the deployment's environment.
    home, scratch = tmp_path / "airflow", tmp_path / "tmp"
    home.mkdir()
    scratch.mkdir()
    settings = {
        name: value.replace("/opt/pipeline", str(pipeline))
        for name, value in environment().items()
        if name != "PATH"
    }
    settings |= {"AIRFLOW_HOME": str(home), "HOME": str(scratch), "TMPDIR": str(scratch)}
    settings |= {"SPARK_RUNTIME": CLOUDS["aws"], "DBT_TARGET": "redshift", "START_DATE": "2021-01-01"}
    listed = run(pipeline / ".venv-airflow/bin/python", "-c", LIST_TASKS, **settings)
    tasks = json.loads(listed.splitlines()[-1])
    assert "ServerlessJob" in tasks["staging"].values()
    assert len(tasks["analytics"]) > 30
    checked = subprocess.run(
        [pipeline / ".venv/bin/python", "-m", "spark_prep.check_day", "--help"], cwd=pipeline, env={**plain, **settings},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    after = {file: file.stat().st_mtime_ns for file in pipeline.rglob("*") if file.is_file()}
    assert after == before


LIST_TASKS = """
import json, os
from airflow.dag_processing.dagbag import DagBag
import sys
sys.path.insert(0, os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
assert not bag.import_errors, bag.import_errors
print(json.dumps({dag.dag_id: {task.task_id: task.task_type for task in dag.tasks} for dag in bag.dags.values()}))
"""


def test_the_job_that_helm_waits_for_does_not_vanish(values):
    """Helm 4 never takes a job that was deleted for done (helm/helm#31786): it would wait for its 20 minutes."""
    job = values["migrateDatabaseJob"]
    # null leaves it out: the chart's own default is a time
    assert job["useHelmHooks"] is False and job["ttlSecondsAfterFinished"] is None
