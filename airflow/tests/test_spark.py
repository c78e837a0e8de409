"""What holds for the Spark tasks on every runtime."""

import subprocess
import sys

import pytest
from airflow.sdk import DAG

from pipeline import settings, spark, spark_cloud
from spark_prep.spark import submit

# The Google provider has an environment of its own.
CLOUD_RUNTIMES = [
    *("emr_serverless", "emr", "glue"),
    *(pytest.param(runtime, marks=pytest.mark.gcp) for runtime in ("dataproc_serverless", "dataproc")),
]
WITH_A_CLUSTER = ("emr", "dataproc")


def job_on(runtime: str, monkeypatch):
    monkeypatch.setattr(spark, "SPARK_RUNTIME", runtime)
    with DAG("spark_day", schedule=None):
        return spark.spark_job("parse_logs"), spark.spark_cluster()


def arguments_of(runtime: str, task) -> list[str]:
    match runtime:
        case "emr_serverless":
            return task.job_driver["sparkSubmit"]["entryPointArguments"]
        case "emr":
            arguments = task.steps[0]["HadoopJarStep"]["Args"]
            return arguments[arguments.index(spark_cloud.SUBMIT) + 1 :]
        case "glue":
            return [word for pair in list(task.script_args.items())[2:] for word in pair]
        case "dataproc_serverless":
            return task.batch["pyspark_batch"]["args"]
        case "dataproc":
            return task.job["pyspark_job"]["args"]


@pytest.mark.parametrize("runtime", CLOUD_RUNTIMES)
def test_the_same_arguments_on_every_cloud(runtime, monkeypatch):
    monkeypatch.setattr(spark_cloud, "CLASSIFIER", "model")
    monkeypatch.setattr(spark_cloud, "OTHER_CLASSIFIERS", "keyword,lexicon")
    monkeypatch.setattr(spark_cloud, "MODEL_URI", "s3://artifacts/models/first")
    task, _ = job_on(runtime, monkeypatch)
    arguments = arguments_of(runtime, task)
    assert arguments == spark_cloud.arguments("parse_logs")
    assert sorted(arguments[::2]) == sorted(["--job", "--date", *submit.SETTINGS])
    assert arguments[-6:] == [
        "--classifier", "model", "--other-classifiers", "keyword,lexicon", "--model-uri", "s3://artifacts/models/first",
    ]  # fmt: skip


def test_a_process_on_the_worker_gets_what_a_cluster_gets_and_the_keys_that_have_no_other_place(monkeypatch):
    task, _ = job_on("local", monkeypatch)
    # which the jobs find in Airflow's own environment
    of_airflow = {"CLASSIFIER", "OTHER_CLASSIFIERS", "MODEL_URI"}
    keys = {"PSEUDONYM_SECRET", "SUPPRESSION_SECRET", "QUARANTINE_SECRET"}
    assert set(task.settings) == set(submit.SETTINGS.values()) - of_airflow | keys


def test_a_classifier_that_is_not_chosen_is_not_named(monkeypatch):
    """EMR Serverless refuses an empty argument."""
    assert "" not in spark_cloud.arguments("classify_reviews")
    assert "--classifier" not in spark_cloud.arguments("classify_reviews")
    monkeypatch.setattr(spark_cloud, "CLASSIFIER", "lexicon")
    assert spark_cloud.arguments("classify_reviews")[-2:] == ["--classifier", "lexicon"]


@pytest.mark.parametrize("runtime", ["local", *CLOUD_RUNTIMES])
def test_a_cluster_is_ended_whatever_happens(runtime, monkeypatch):
    task, cluster = job_on(runtime, monkeypatch)
    assert task.task_id == "parse_logs"
    assert bool(cluster) == (runtime in WITH_A_CLUSTER)
    if cluster:
        start, stop = cluster
        assert start.is_setup and start.trigger_rule == "all_done_min_one_success"
        assert stop.is_teardown and stop.upstream_task_ids == {start.task_id}


def test_local_needs_no_cloud_and_no_key_in_the_task():
    ask = (
        "import sys; from airflow.sdk import DAG; from pipeline.spark import spark_cluster, spark_job\n"
        "with DAG('day'): task = spark_job('classify_reviews')\n"
        "assert spark_cluster() is None\n"
        "print(task.command, [name for name in sys.modules if name.startswith('pipeline.spark_')])"
    )
    asked = subprocess.run([sys.executable, "-c", ask], cwd=spark.__file__.rsplit("/", 2)[0], capture_output=True,
                           text=True, check=True)  # fmt: skip
    command = ["python", "-m", "spark_prep.spark.submit", "--job", "classify_reviews", "--date", settings.DAY]
    assert asked.stdout.splitlines()[-1] == f"{command} []"
