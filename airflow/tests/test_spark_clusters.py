"""Each Spark job as its service starts it, with what the operators send: its output must be that of an ordinary run.

A virtual environment holds Spark in the version that the service has and, unless the package ships them, the libraries
that it brings, where these are its own the oldest that the jobs run with. Executors run on a machine of their own (Spark's standalone master and worker), so they know what the request
tells them and nothing of the driver's environment. The services are not here: submitted() says how each starts a job, as it is
documented. The keys come from stand-ins of the secret stores and key services.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import boto3
import jinja2
import pytest
from airflow.sdk import DAG
from moto.server import ThreadedMotoServer

from conftest import JOBS_PYTHON, ROOT, UV, installs
from demo.ports import free_port
from pipeline import spark
from spark_prep.tests.secret_manager import (
    KMS_KEY,
    STORED_KEY,
    SecretManager,
    access_to_secret_manager,
    serving,
)

JOBS = ("classify_reviews", "parse_logs")
DAY, VERSION = "2021-01-02", "2"
# Runtime -> the locks of what its machines have before the package comes (terraform/README.md). EMR Serverless has Spark alone.
SERVICES = {
    "emr_serverless": ("spark40",),
    "emr": ("spark40", "cluster"),
    "glue": ("spark41",),
    "dataproc_serverless": ("spark40", "cluster"),
    "dataproc": ("spark41",),
}
RUNTIMES = [
    *("emr_serverless", "emr", "glue"),
    *(pytest.param(runtime, marks=pytest.mark.gcp) for runtime in ("dataproc_serverless", "dataproc")),
]
# Rows by folder, without the names of runs and parts.
READ = """
import json, sys
from collections import defaultdict
from pathlib import Path
from spark_prep.contract.encryption import parquet_file
found = defaultdict(list)
for file in Path(sys.argv[1]).rglob("*.parquet"):
    folder = "/".join(part for part in file.relative_to(sys.argv[1]).parts[:-1] if not part.startswith("run="))
    for row in parquet_file(file).read().to_pylist():
        found[folder].append(json.dumps({key: value for key, value in row.items() if key != "run"}, default=str))
print(json.dumps({folder: sorted(rows) for folder, rows in found.items()}))
"""

# Short jobs: Java's second compiler takes longer than it saves.
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the package is for Linux"),
]


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """Sample feeds, with what is broken in them."""
    folder = tmp_path_factory.mktemp("sample")
    sample = ["--out", folder, "--from", "2021-01-01", "--to", "2021-01-02", "--reviews-per-day", "200"]
    subprocess.run(
        [JOBS_PYTHON, "-m", "demo.sample", *sample], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    return folder / "raw"


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory) -> Path:
    """The package where the operators look for it, its wheels for this machine."""
    folder = tmp_path_factory.mktemp("artifacts")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    subprocess.run(
        ["make", "spark-package", f"PACKAGE={folder}/spark/dev", f"ARCHITECTURE={os.uname().machine}"],
        cwd=ROOT, env=environment, check=True, timeout=1800,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def ordinary(raw, tmp_path_factory) -> dict:
    """What the jobs stage when they are run here, from the checkout."""
    lake = tmp_path_factory.mktemp("lake")
    for job in JOBS:
        settings = {
            "RAW_URI": str(raw), "STAGING_URI": f"{lake}/staging", "QUARANTINE_URI": f"{lake}/quarantine",
            "PSEUDONYM_SECRET": STORED_KEY, "PSEUDONYM_KEY_VERSION": VERSION, "QUARANTINE_SECRET": STORED_KEY,
        }  # fmt: skip
        command = [JOBS_PYTHON, "-m", "spark_prep.spark.submit", "--job", job, "--date", DAY]
        subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=True, timeout=1800)
    return rows(lake, {"QUARANTINE_SECRET": STORED_KEY})


def rows(lake: Path, identity: dict[str, str]) -> dict[str, list[str]]:
    """As whoever may use the key of the raw records reads them."""
    read = subprocess.run(
        [JOBS_PYTHON, "-c", READ, lake], cwd=ROOT, env=os.environ | identity, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(read.stdout)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_job_on_its_cluster_stages_what_an_ordinary_run_stages(
    runtime, programs_of, raw, artifacts, ordinary, tmp_path, monkeypatch
):
    monkeypatch.setattr(spark, "SPARK_RUNTIME", runtime)
    programs = programs_of(runtime)
    if runtime == "emr":
        # Where emr_bootstrap.sh puts it, tests may not.
        monkeypatch.setattr("pipeline.spark_aws.EMR_PYTHON", str(programs / "python"))
    lake = tmp_path / "lake"
    with ExitStack() as stack:
        identity, secret_id, key_id = stack.enter_context(key_stores(runtime))
        machine = environment_of(programs, tmp_path) | identity
        variables = {
            "artifacts_uri": str(artifacts), "raw_uri": str(raw), "staging_uri": f"{lake}/staging",
            "quarantine_uri": f"{lake}/quarantine", "pseudonym_key_version": VERSION, "quarantine_key_id": key_id,
            "suppression_secret_id": "nobody was erased, so it is not asked for",
        }  # fmt: skip
        master = stack.enter_context(cluster(machine, tmp_path))
        ran = [
            stack.enter_context(
                start(submitted(runtime, job, variables, secret_id), master, machine, tmp_path / job)
            )
            for job in JOBS
        ]
        for job in ran:
            output, _ = job.communicate(timeout=1800)
            assert job.returncode == 0, output[-6000:]
            assert STORED_KEY not in output
        assert rows(lake, identity) == ordinary
    assert len(ordinary["staging/review_logs/insert_date=" + DAY]) > 100


def test_a_model_is_trained_on_a_cluster(programs_of, artifacts, tmp_path):
    """By the package, where only the model's folder is known to be read by all; it is the one that is trained on one machine."""
    programs = programs_of("emr")
    make = "import pathlib, sys; from demo.feeds.labelled import write_labelled; write_labelled(pathlib.Path(sys.argv[1]), 400)"
    subprocess.run([JOBS_PYTHON, "-c", make, tmp_path], cwd=ROOT, check=True)
    files = ["--reviews", f"{tmp_path}/reviews.csv", "--labels", f"{tmp_path}/labels.csv"]
    here, there = tmp_path / "here", tmp_path / "there"
    command = [JOBS_PYTHON, "-m", "spark_prep.reviews.train", *files, "--model", here]
    subprocess.run(command, cwd=ROOT, check=True, timeout=1800)
    machine = environment_of(programs, tmp_path)
    package = artifacts / "spark/dev"
    words = [
        *("--py-files", f"{package}/spark_prep.zip", f"{package}/submit.py"),
        *("--job", "train", *files, "--model", str(there)),
    ]
    submission = SimpleNamespace(words=words, environment={}, archives=[])
    with (
        cluster(machine, tmp_path) as master,
        start(submission, master, machine, tmp_path / "train") as job,
    ):
        output, _ = job.communicate(timeout=1800)
    assert job.returncode == 0, output[-6000:]
    assert "fit 9 of 9" in output
    assert (there / "weights.parquet").read_bytes() == (here / "weights.parquet").read_bytes()
    assert list(there.glob("_ngrams/*")) == []


def environment_of(programs: Path, home: Path) -> dict[str, str]:
    """Of a machine of a cluster that has these programs."""
    java = {name: os.environ[name] for name in ("JAVA_HOME",) if name in os.environ}
    return java | {
        "PATH": f"{programs}:/usr/bin:/bin",
        "HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_SUBMIT_OPTS": QUICK,
        "SPARK_DAEMON_JAVA_OPTS": QUICK,
    }


@pytest.fixture(scope="module")
def programs_of(tmp_path_factory) -> Callable[[str], Path]:
    """Returns a function: the folder of programs of a runtime's virtual environment."""

    @cache
    def environment(python: str, locks: tuple[str, ...]) -> Path:
        folder = tmp_path_factory.mktemp("venv")
        files = [word for lock in locks for word in ("-r", ROOT / f"requirements/{lock}.txt")]
        subprocess.run([UV, "venv", "--quiet", "--clear", "--python", python, folder], check=True)
        command = [UV, "pip", "install", "--quiet", "--python", folder / "bin/python", "--require-hashes"]
        installs([*command, *files], timeout=1800)
        return folder / "bin"

    def programs(runtime: str) -> Path:
        python = sys.executable
        if runtime == "emr_serverless":
            python = shutil.which("python3.11")
            if not python:
                pytest.skip("the archive of EMR Serverless is for python3.11, and there is none here")
        return environment(python, SERVICES[runtime])

    return programs


@contextmanager
def key_stores(runtime: str) -> Iterator[tuple[dict[str, str], str, str]]:
    """What the machines know as their identity, the id of the secret with the key of the pseudonyms, and that of the raw records' key."""
    if runtime.startswith("dataproc"):
        with serving(SecretManager) as address:
            yield access_to_secret_manager(address), "projects/p/secrets/pseudonyms/versions/2", KMS_KEY
        return
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    identity = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    secrets, kms = (
        boto3.client(
            service, region_name="eu-west-1", endpoint_url=identity["AWS_ENDPOINT_URL"],
            aws_access_key_id="testing", aws_secret_access_key="testing",
        )
        for service in ("secretsmanager", "kms")
    )  # fmt: skip
    secret = secrets.create_secret(Name=f"pseudonyms-{runtime}", SecretString=STORED_KEY)
    try:
        yield identity, secret["ARN"], kms.create_key()["KeyMetadata"]["Arn"]
    finally:
        server.stop()


@contextmanager
def cluster(machine: dict[str, str], folder: Path) -> Iterator[str]:
    """Spark's own, of one worker for both jobs; its address."""
    port = free_port()
    address = f"spark://127.0.0.1:{port}"
    programs = {
        "master.Master": ["--port", port],
        "worker.Worker": [
            "--port",
            0,
            "--cores",
            2,
            "--memory",
            "2g",
            "--work-dir",
            folder / "work",
            address,
        ],
    }
    started = []
    try:
        for name, words in programs.items():
            command = [
                "spark-class",
                f"org.apache.spark.deploy.{name}",
                "--host",
                "127.0.0.1",
                "--webui-port",
                0,
                *words,
            ]
            with (folder / f"{name}.log").open("w") as log:
                started.append(
                    subprocess.Popen(
                        ["/usr/bin/env", *map(str, command)],
                        cwd=folder,
                        env=machine,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                    )
                )
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(600)


@contextmanager
def start(
    submission: SimpleNamespace, master: str, machine: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen]:
    """The driver, in a folder of its own, with the archives unpacked beside it as its service does it."""
    folder.mkdir()
    for archive in submission.archives:
        place, _, name = archive.partition("#")
        with tarfile.open(place) as packed:
            packed.extractall(folder / name, filter="data")
    conf = {
        "spark.cores.max": 1, "spark.executor.memory": "512m", "spark.ui.enabled": "false",
        "spark.executor.extraJavaOptions": QUICK, "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
    }  # fmt: skip
    settings = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
    process = subprocess.Popen(
        ["/usr/bin/env", "spark-submit", "--master", master, *settings, *submission.words],
        cwd=folder, env=machine | submission.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(600)


def submitted(runtime: str, job: str, variables: dict[str, str], secret_id: str) -> SimpleNamespace:
    """What the service makes of the operator's request: words for spark-submit, and what the driver finds."""
    with DAG("staging", schedule=None):
        task = spark.spark_job(job)
    known = {"value": variables, "json": {"spark": {"pseudonym_secret_id": secret_id}}}

    def rendered(text: str) -> str:
        return jinja2.Template(text).render(var=known, day_of=lambda _: DAY, dag_run=None)

    environment: dict[str, str] = {}
    archives: list[str] = []
    match runtime:
        case "emr_serverless":
            request = task.job_driver["sparkSubmit"]
            words = shlex.split(rendered(request["sparkSubmitParameters"]))
            settings = dict(word.split("=", 1) for word in words if "=" in word)
            prefix = "spark.emr-serverless.driverEnv."
            environment = {
                key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)
            }
            archives = [settings["spark.archives"]]
            words += [request["entryPoint"], *request["entryPointArguments"]]
        case "emr":
            # command-runner.jar starts the first word as a program
            program, *words = task.steps[0]["HadoopJarStep"]["Args"]
            assert program == "spark-submit"
        case "glue":
            given = {
                "--JOB_NAME": "movie-analytics",
                "--JOB_RUN_ID": "jr_1",
                "--TempDir": "s3://temp",
                **task.script_args,
            }
            arguments = [word for item in given.items() for word in item]
            words = ["--py-files", given["--extra-py-files"], given["--scriptLocation"], *arguments]
        case "dataproc_serverless" | "dataproc":
            request = (
                task.batch["pyspark_batch"] if runtime == "dataproc_serverless" else task.job["pyspark_job"]
            )
            words = [
                "--py-files",
                ",".join(request["python_file_uris"]),
                request["main_python_file_uri"],
                *request["args"],
            ]
    return SimpleNamespace(
        words=[rendered(word) for word in words], environment=environment, archives=archives
    )
