"""The Spark tasks and the waits before them against an AWS emulator (moto) on loopback: what reaches EMR Serverless, EMR
and Glue, whole.

Variables and connections come from the emulator's Secrets Manager. The emulator accepts requests and keeps state; it runs
no job. Three stand-ins of ours in it: its EMR leaves a step running for ever, so `steps_end` says how the steps end; its EMR
Serverless lists no jobs of an application that has had none, but for an error; and operations that it lacks (STAND_INS) are answered
with nothing, so that tests can see that they were asked for.
"""

import asyncio
import io
import json
import os
import re
import subprocess
import sys
from itertools import count
from pathlib import Path
from unittest.mock import MagicMock
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("airflow.providers.amazon", reason="the Amazon provider has an environment of its own")

import boto3
from airflow.providers.amazon.aws.triggers.emr import EmrAddStepsTrigger
from airflow.providers.amazon.aws.triggers.glue import GlueJobCompleteTrigger
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string
from moto.emr.models import ElasticMapReduceBackend, emr_backends
from moto.emrserverless.models import EMRServerlessBackend
from moto.moto_api import state_manager
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import ThreadedMotoServer

from pipeline import spark

HERE = Path(__file__).parent
DAGS = HERE / "spark_dags"
STAND_INS = ("CancelSteps", "BatchStopJobRun")
JOBS = ("classify_reviews", "parse_logs")
PACKAGE = "s3://artifacts/spark/1.2.3"
TAGS = {"project": "movie-analytics", "dag": "spark_day", "day": "2021-01-31"}
SECRET_ID = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pseudonyms-AbCdEf"
SUPPRESSION_SECRET_ID = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:suppression-AbCdEf"
QUARANTINE_KEY_ID = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VARIABLES = {
    "raw_uri": "s3://raw",
    "staging_uri": "s3://staging",
    "quarantine_uri": "s3://quarantine",
    "artifacts_uri": "s3://artifacts",
    "pseudonym_key_version": "2",
    "quarantine_key_id": QUARANTINE_KEY_ID,
    "suppression_secret_id": SUPPRESSION_SECRET_ID,
}
SPARK = {
    "region": "eu-west-1",
    "job_role_arn": "arn:aws:iam::123456789012:role/spark-job",
    "emr_release_label": "emr-spark-8.0.0",
    "emr_service_role": "emr-service",
    "emr_instance_profile": "emr-instance",
    "emr_subnet_id": "subnet-1",
    "emr_instance_type": "m7g.xlarge",
    "emr_core_instance_count": 2,
    "emr_security_configuration": "encrypted",
    "emr_log_uri": "s3://artifacts/logs",
    "glue_job_name": "movie-analytics",
    "pseudonym_secret_id": SECRET_ID,
}


def arguments(job: str) -> list[str]:
    return [
        "--job", job, "--date", "2021-01-31", "--raw-uri", "s3://raw", "--staging-uri", "s3://staging",
        "--quarantine-uri", "s3://quarantine", "--quarantine-key-id", QUARANTINE_KEY_ID,
        "--pseudonym-secret-id", SECRET_ID, "--pseudonym-key-version", "2",
        "--suppression-secret-id", SUPPRESSION_SECRET_ID,
    ]  # fmt: skip


class Emulator:
    def __init__(self, url: str):
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
        self.url = url
        self.requests: list[tuple[str, dict]] = []

    def client(self, service: str):
        return boto3.client(
            service, endpoint_url=self.url, region_name="eu-west-1",
            aws_access_key_id="testing", aws_secret_access_key="testing",
        )  # fmt: skip

    def received(self, operation: str) -> list[dict]:
        """The bodies of the requests, those of classify_reviews first."""
        bodies = [body for name, body in self.requests if name == operation]
        return sorted(bodies, key=lambda body: "parse_logs" in str(body))

    def clusters(self) -> dict[str, str]:
        clusters = self.client("emr").list_clusters()["Clusters"]
        return {cluster["Id"]: cluster["Status"]["State"] for cluster in clusters}

    def run_spark_day(self, runtime: str, **spark: str) -> dict:
        """Run the Spark tasks of 2021-01-31, with the files in S3 and all variables in Secrets Manager.

        Returns the states of the run and, once the waits have seen their files, of the other tasks.
        """
        secrets = self.client("secretsmanager")
        for name, value in (VARIABLES | {"spark": json.dumps(SPARK | spark)}).items():
            secrets.create_secret(Name=f"airflow/variables/{name}", SecretString=value)
        s3 = self.client("s3")
        s3.create_bucket(Bucket="raw", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for feed in ("movie_review", "log_reviews"):
            s3.put_object(Bucket="raw", Key=f"{feed}/insert_date=2021-01-31/delivery.csv", Body=b"")
        ran = self.run([DAGS / "spark_day.py"], runtime)
        self.log = ran.stdout + ran.stderr
        states = json.loads(ran.stdout.splitlines()[-1])
        assert states.pop("wait_for_movie_review") == states.pop("wait_for_log_reviews") == "success"
        return states

    def run(self, command: list, runtime: str) -> subprocess.CompletedProcess:
        """Run Python in an Airflow that looks for variables and connections in the emulator's Secrets Manager."""
        backend = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
        prefixes = {"variables_prefix": "airflow/variables", "connections_prefix": "airflow/connections"}
        settings = self.environment | {
            "SPARK_RUNTIME": runtime,
            "PIPELINE_VERSION": "1.2.3",
            "PYTHONPATH": str(HERE.parent / "dags"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW__SECRETS__BACKEND": backend,
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(prefixes),
        }
        ran = subprocess.run(
            [sys.executable, *command],
            env=os.environ | settings, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran


@pytest.fixture
def aws(monkeypatch, airflow_database):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    emulator = Emulator("http://{}:{}".format(*server.get_host_and_port()))
    # all servers of a process share what they hold
    urlopen(Request(f"{emulator.url}/moto-api/reset", method="POST")).close()
    answer = DomainDispatcherApplication.__call__

    def note_and_answer(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        # the operation, or for an API without such a header the path
        name = environ.get("HTTP_X_AMZ_TARGET", environ["PATH_INFO"].rsplit("/", 1)[-1]).rsplit(".", 1)[-1]
        if body.startswith(b"{"):
            emulator.requests.append((name, json.loads(body)))
        if name in STAND_INS:
            start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
            return [b"{}"]
        return answer(self, environ, start_response)

    list_job_runs = EMRServerlessBackend.list_job_runs

    def list_job_runs_or_none(self, application_id, **filters):
        self.job_runs.setdefault(application_id, [])
        return list_job_runs(self, application_id=application_id, **filters)

    monkeypatch.setattr(EMRServerlessBackend, "list_job_runs", list_job_runs_or_none)
    monkeypatch.setattr(DomainDispatcherApplication, "__call__", note_and_answer)
    yield emulator
    server.stop()


@pytest.fixture
def steps_end(monkeypatch):
    """The stand-in: says as which state each EMR step ends, by its name."""

    def end(states: dict[str, str]):
        add = ElasticMapReduceBackend.add_job_flow_steps

        def add_and_end(self, job_flow_id, steps):
            added = add(self, job_flow_id, steps)
            for step in added:
                step.state = states.get(step.name.split()[0], "COMPLETED")
            return added

        monkeypatch.setattr(ElasticMapReduceBackend, "add_job_flow_steps", add_and_end)

    return end


def test_emr_serverless(aws):
    # the emulator knows no release of Spark 4
    application = aws.client("emr-serverless").create_application(
        name="spark", releaseLabel="emr-7.0.0", type="SPARK"
    )["applicationId"]
    states = aws.run_spark_day("emr_serverless", emr_serverless_application_id=application)
    assert states == {"run": "success", "classify_reviews": "success", "parse_logs": "success"}

    received = aws.received("jobruns")
    assert len({run.pop("clientToken") for run in received}) == 2
    # of the run's id
    (digest,) = {run["name"].rpartition(" ")[2] for run in received}
    assert re.fullmatch("r[0-9a-f]{11}", digest)
    for job, run in zip(JOBS, received, strict=True):
        assert run == {
            "name": f"{job} 2021-01-31 {digest}",
            "executionRoleArn": SPARK["job_role_arn"],
            "executionTimeoutMinutes": 60,
            "jobDriver": {
                "sparkSubmit": {
                    "entryPoint": f"{PACKAGE}/submit.py",
                    "entryPointArguments": arguments(job),
                    "sparkSubmitParameters": f"--py-files {PACKAGE}/spark_prep.zip "
                    f"--conf spark.archives={PACKAGE}/packages.tar.gz#packages "
                    "--conf spark.emr-serverless.driverEnv.PYSPARK_PYTHON=python3.11 "
                    "--conf spark.emr-serverless.driverEnv.PYTHONPATH=./packages "
                    "--conf spark.executorEnv.PYSPARK_PYTHON=python3.11 "
                    "--conf spark.executorEnv.PYTHONPATH=./packages",
                }
            },
            "configurationOverrides": {
                "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": "s3://artifacts/logs"}}
            },
            "tags": TAGS | {"task": job},
        }
    assert "https://console.aws.amazon.com/s3/buckets/artifacts?region=eu-west-1&prefix=logs/" in aws.log


def test_emr_on_ec2(aws, steps_end):
    steps_end({})
    states = aws.run_spark_day("emr")
    assert states == {
        "run": "success", "start_spark_cluster": "success", "classify_reviews": "success",
        "parse_logs": "success", "stop_spark_cluster": "success",
    }  # fmt: skip

    (cluster,) = aws.received("RunJobFlow")
    tags = {tag["Key"]: tag["Value"] for tag in cluster.pop("Tags")}
    managed = {"for-use-with-amazon-emr-managed-policies": "true"}
    assert tags == TAGS | managed | {"task": "start_spark_cluster"}
    machine = {"InstanceType": "m7g.xlarge", "Market": "ON_DEMAND"}
    bootstrap = {"Path": f"{PACKAGE}/emr_bootstrap.sh"}
    assert cluster == {
        "Name": "movie-analytics 2021-01-31",
        "ReleaseLabel": "emr-spark-8.0.0",
        "Applications": [{"Name": "Spark"}],
        "ServiceRole": "emr-service",
        "JobFlowRole": "emr-instance",
        "SecurityConfiguration": "encrypted",
        "LogUri": "s3://artifacts/logs",
        "BootstrapActions": [{"Name": "Python of the jobs", "ScriptBootstrapAction": bootstrap}],
        "StepConcurrencyLevel": 2,
        "AutoTerminationPolicy": {"IdleTimeout": 1800},
        "Instances": {
            "Ec2SubnetId": "subnet-1",
            "KeepJobFlowAliveWhenNoSteps": True,
            "InstanceGroups": [
                {"Name": "primary", "InstanceRole": "MASTER", "InstanceCount": 1, **machine},
                {"Name": "core", "InstanceRole": "CORE", "InstanceCount": 2, **machine},
            ],
        },
    }
    (cluster_id,) = aws.clusters()
    for job, step in zip(JOBS, aws.received("AddJobFlowSteps"), strict=True):
        command = ["spark-submit", "--conf", "spark.pyspark.python=/usr/local/bin/spark-python"]
        code = ["--py-files", f"{PACKAGE}/spark_prep.zip", f"{PACKAGE}/submit.py"]
        run = {"Jar": "command-runner.jar", "Args": [*command, *code, *arguments(job)]}
        name = f"{job} 2021-01-31"
        steps = [{"Name": name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": run}]
        assert step == {"JobFlowId": cluster_id, "Steps": steps}
    assert aws.clusters() == {cluster_id: "TERMINATED"}


def test_a_failing_emr_step_makes_a_red_run_and_no_cluster_that_stays(aws, steps_end):
    steps_end({"classify_reviews": "FAILED"})
    states = aws.run_spark_day("emr")
    assert states == {
        "run": "failed", "start_spark_cluster": "success", "classify_reviews": "failed",
        "parse_logs": "success", "stop_spark_cluster": "success",
    }  # fmt: skip
    assert list(aws.clusters().values()) == ["TERMINATED"]


def test_glue(aws):
    state_manager.set_transition("glue::job_run", {"progression": "immediate"})
    aws.client("glue").create_job(Name="movie-analytics", Role="spark-job", Command={"Name": "glueetl"})
    states = aws.run_spark_day("glue")
    assert states == {"run": "success", "classify_reviews": "success", "parse_logs": "success"}
    for job, run in zip(JOBS, aws.received("StartJobRun"), strict=True):
        # of the provider: by it a later try finds the run of an earlier one
        assert job in run["Arguments"].pop("--airflow_task_uuid")
        keys_and_values = arguments(job)
        assert run == {
            "JobName": "movie-analytics",
            "Timeout": 60,
            "Arguments": {
                "--scriptLocation": f"{PACKAGE}/submit.py",
                "--extra-py-files": f"{PACKAGE}/spark_prep.zip",
                **dict(zip(keys_and_values[::2], keys_and_values[1::2], strict=True)),
            },
        }


@pytest.mark.parametrize(
    ("runtime", "start", "id_of"),
    [
        ("emr_serverless", "jobruns", lambda trigger: trigger["job_id"]),
        ("emr", "AddJobFlowSteps", lambda trigger: trigger["step_ids"]),
        ("glue", "StartJobRun", lambda trigger: trigger["run_id"]),
    ],
)
def test_a_job_that_still_runs_is_followed_and_one_that_has_ended_is_not(
    aws, monkeypatch, runtime, start, id_of
):
    """As by tries of one task, the first of which has lost sight of its job."""
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(spark, "SPARK_RUNTIME", runtime)
    monkeypatch.setattr("moto.emrserverless.models.JOB_STATUS", "RUNNING")
    state_manager.set_transition("glue::job_run", {"progression": "manual", "times": 100})
    emr, serverless, glue = map(aws.client, ("emr", "emr-serverless", "glue"))
    glue.create_job(Name="movie-analytics", Role="spark-job", Command={"Name": "glueetl"})
    cluster = emr.run_job_flow(Name="c", Instances={"KeepJobFlowAliveWhenNoSteps": True})["JobFlowId"]
    application = serverless.create_application(name="spark", releaseLabel="emr-7.0.0", type="SPARK")[
        "applicationId"
    ]
    rendered = {
        "name": "parse_logs 2021-01-31 r1", "application_id": application, "job_flow_id": cluster,
        "job_name": "movie-analytics", "region_name": "eu-west-1", "execution_role_arn": SPARK["job_role_arn"],
        "configuration_overrides": None,
    }  # fmt: skip

    tries = count(1)

    def try_() -> str:
        ti = MagicMock(
            dag_id="staging", task_id="parse_logs", run_id="r", map_index=-1, try_number=next(tries)
        )
        ti.xcom_pull.return_value = None
        with DAG("staging", schedule=None):
            task = spark.spark_job("parse_logs")
        for field in rendered.keys() & vars(task).keys():
            setattr(task, field, rendered[field])
        with pytest.raises(TaskDeferred) as deferred:
            task.execute({"ti": ti})
        return id_of(deferred.value.trigger.serialize()[1])

    first = try_()
    assert try_() == first and len(aws.received(start)) == 1
    if runtime == "emr_serverless":
        serverless.cancel_job_run(applicationId=application, jobRunId=first)
    elif runtime == "emr":
        steps_of = (backend.clusters for account in emr_backends.values() for backend in account.values())
        next(clusters[cluster] for clusters in steps_of if cluster in clusters).steps[0].state = "FAILED"
    else:
        state_manager.set_transition("glue::job_run", {"progression": "immediate"})
    assert try_() != first and len(aws.received(start)) == 2


@pytest.mark.parametrize(
    ("runtime", "trigger", "operation", "request_"),
    [
        (
            "emr",
            EmrAddStepsTrigger("j-1", ["s-1"], 15, 260, aws_conn_id=None, region_name="eu-west-1"),
            "CancelSteps",
            {"ClusterId": "j-1", "StepIds": ["s-1"], "StepCancellationOption": "TERMINATE_PROCESS"},
        ),
        (
            "glue",
            GlueJobCompleteTrigger("movie-analytics", "jr-1", aws_conn_id=None, region_name="eu-west-1"),
            "BatchStopJobRun",
            {"JobName": "movie-analytics", "JobRunIds": ["jr-1"]},
        ),
    ],
)
def test_ending_a_task_that_waits_ends_its_run(aws, monkeypatch, runtime, trigger, operation, request_):
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(spark, "SPARK_RUNTIME", runtime)
    with pytest.raises(TaskDeferred) as deferred:
        spark.spark_job("parse_logs").defer(trigger=trigger, method_name="execute_complete")
    # as the triggerer does it
    path, kwargs = deferred.value.trigger.serialize()
    asyncio.run(import_string(path)(**kwargs).on_kill())
    assert aws.received(operation) == [request_]


def test_connections_come_from_secrets_manager_too(aws):
    connection = {"conn_type": "postgres", "host": "db.example.com", "login": "reader", "schema": "shop"}
    aws.client("secretsmanager").create_secret(
        Name="airflow/connections/shop_db", SecretString=json.dumps(connection)
    )
    ask = "from airflow.sdk import Connection; print(Connection.get('shop_db').get_uri())"
    asked = aws.run(["-c", ask], "local")
    assert asked.stdout.splitlines()[-1] == "postgres://reader@db.example.com/shop"
