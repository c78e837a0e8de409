"""The package for clusters: built, bootstrapped and run by a real spark-submit, with nothing of the repository at hand."""

import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pyspark
import pytest

from ci.staged_sample import ROOT
from spark_prep.reviews.classifiers.model import Model, write_weights
from spark_prep.reviews.classifiers.ngrams import ngrams_of
from spark_prep.spark import package, submit
from spark_prep.tests.secret_manager import STORED_KEY, SecretManager, access_to_secret_manager, serving

SPARK_HOME = Path(pyspark.__file__).parent
DAY = "2021-01-31"
# Glue puts its own between ours; some have no value, and some begin like ours
GLUE = ["--enable-metrics", "--job-bookmark-option", "job-bookmark-disable", "--JOB_NAME", "movie-analytics"]
PHONE = "555-019-8642"
LOG = f"<reviewlog><log><logDate>01-31-2021</logDate><phoneNumber>{PHONE}</phoneNumber></log></reviewlog>"


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    package.build(folder)
    return folder


def arguments(job: str, lake) -> list[str]:
    return [
        *("--job", job, "--date", DAY),
        *("--raw-uri", lake.settings["RAW_URI"], "--staging-uri", lake.settings["STAGING_URI"]),
        *("--quarantine-uri", lake.settings["QUARANTINE_URI"]),
    ]


def spark_submit(dist: Path, lake, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run submit.py as a cluster would; leaves an event log beside the lake."""
    events = lake.root / "events"
    events.mkdir()
    conf = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": events.as_uri(),
    }
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "JAVA_HOME", "SPARK_SUBMIT_OPTS", "QUARANTINE_SECRET")
        if name in os.environ
    }
    return subprocess.run(
        [
            str(SPARK_HOME / "bin/spark-submit"), "--master", "local[1]",
            *(word for item in conf.items() for word in ("--conf", "=".join(item))),
            "--py-files", str(dist / "spark_prep.zip"), str(dist / "submit.py"), *arguments,
        ],
        cwd=lake.root, env=kept | {"PYSPARK_PYTHON": sys.executable, "SPARK_HOME": str(SPARK_HOME)} | environment,
        capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_reviews_are_staged_from_the_package(dist, lake):
    lake.deliver("movie_review", DAY, "cid,review_str,id_review\n7,good,1\n7,goodness,2\n")
    ran = spark_submit(dist, lake, *GLUE, *arguments("classify_reviews", lake), *GLUE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    staged = lake.staged("classified_movie_review", DAY)
    assert {row["review_id"]: row["positive_review"] for row in staged} == {1: 1, 2: 0}


@pytest.mark.slow
def test_reviews_are_classified_by_the_model_that_is_named(dist, lake):
    slots = {ngram: slot for slot, ngram in ngrams_of("not good").items()}
    weights = dict(sorted([(slots["good"], 1.0), (slots["not good"], -3.0)]))
    model = Model(np.array([*weights], np.int32), np.array([*weights.values()], np.float32), 0.5)
    write_weights(f"{lake.root}/model", model)
    card = {"format_version": 1, "version": model.version, "intercept": 0.5}
    (lake.root / "model/card.json").write_text(json.dumps(card))
    lake.deliver("movie_review", DAY, "cid,review_str,id_review\n7,good,1\n7,not good,2\n")
    chosen = ["--classifier", "model", "--model-uri", f"{lake.root}/model"]
    ran = spark_submit(dist, lake, *arguments("classify_reviews", lake), *chosen)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    staged = {row["review_id"]: row for row in lake.staged("classified_movie_review", DAY)}
    assert {id_: row["positive_review"] for id_, row in staged.items()} == {1: 1, 2: 0}
    assert staged[1]["classifier_version"] == model.version
    assert staged[1]["classifier_score"] == pytest.approx(1 / (1 + np.exp(-1.5)), abs=1e-6)


@pytest.mark.slow
def test_logs_are_staged_with_a_key_that_nobody_sent(dist, lake):
    lake.deliver("log_reviews", DAY, f"id_review,log\n1,{LOG}\n")
    secret = ["--pseudonym-secret-id", "projects/p/secrets/pseudonyms/versions/2"]
    with serving(SecretManager) as address:
        ran = spark_submit(
            dist, lake, *arguments("parse_logs", lake), *secret, "--pseudonym-key-version", "2",
            **access_to_secret_manager(address),
        )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (row,) = lake.staged("review_logs", DAY)
    expected = hmac.digest(STORED_KEY.encode(), PHONE.encode(), "sha256").hex()
    assert (row["phone_number"], row["pseudonym_key_version"]) == (expected, "2")
    left = b"".join(file.read_bytes() for file in lake.root.rglob("*") if file.is_file())
    assert b"MapInArrow" in left and STORED_KEY.encode() not in left
    assert STORED_KEY not in ran.stdout + ran.stderr


@pytest.mark.slow
def test_a_wrong_setting_fails_the_run_with_one_clear_line(dist, lake):
    ran = spark_submit(dist, lake, *arguments("parse_logs", lake), "--pseudonym-secret-id", "pseudonyms")
    assert ran.returncode != 0
    # spark-submit prints what the driver says on either stream
    assert "error: PSEUDONYM_SECRET_ID is 'pseudonyms'; write arn:aws:secretsmanager:" in ran.stdout
    assert "Traceback" not in ran.stdout


def test_arguments_become_settings_and_others_are_ignored(monkeypatch):
    seen: dict = {}
    job = types.SimpleNamespace(main=lambda: seen.update(os.environ, argv=sys.argv))
    monkeypatch.setitem(sys.modules, "spark_prep.logs.parse_logs", job)
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(sys, "argv", [])
    given = [word for number, key in enumerate(submit.SETTINGS) for word in (key, f"value-{number}")]
    options = ["--date", DAY, "--model", "folder"]
    submit.submit([*GLUE, "--job", "parse_logs", *given, *GLUE, *options, "--JOB_RUN_ID", "jr_1"])
    values = {name: f"value-{number}" for number, name in enumerate(submit.SETTINGS.values())}
    assert seen == values | {"argv": ["parse_logs", *options]}


@pytest.mark.parametrize("job", ["export_purchases", "os", None])
def test_only_the_spark_jobs_can_be_named(job):
    with pytest.raises(SystemExit, match="it must be one of classify_reviews, parse_logs, train"):
        submit.submit(["--job", job] if job else [])


def test_the_package_is_the_same_wherever_it_is_built(dist, tmp_path, monkeypatch):
    other_clone = tmp_path / "spark_prep"
    # with times and modes of their own, and what a used clone holds
    shutil.copytree(package.PACKAGE, other_clone, copy_function=shutil.copyfile)
    monkeypatch.setattr(package, "PACKAGE", other_clone)
    package.build(tmp_path / "dist")
    names = {"submit.py", "spark_prep.zip", "emr_bootstrap.sh"}
    assert {file.name for file in (tmp_path / "dist").iterdir()} == names
    for name in names:
        assert (tmp_path / "dist" / name).read_bytes() == (dist / name).read_bytes()
    zipped = ZipFile(dist / "spark_prep.zip").namelist()
    assert {
        "spark_prep/logs/parse_logs.py",
        "spark_prep/reviews/classifiers/words/keyword/good_words.txt",
    } < set(zipped)
    assert not [name for name in zipped if "tests" in name or "__pycache__" in name]


def bootstrap(tmp_path: Path, pythons: dict[str, bool], pip: int = 0) -> subprocess.CompletedProcess:
    """Run emr_bootstrap.sh on a machine with these Pythons (name -> has the packages); what sudo was asked for is printed."""
    stubs = {"sudo": f'echo "sudo $*"; case "$*" in *"pip install"*) exit {pip};; esac'}
    for name, has_packages in pythons.items():
        stubs[name] = (
            f'case "$*" in "-c import boto3, numpy, pandas, pyarrow") exit {0 if has_packages else 1};; esac'
        )
    for name, body in stubs.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    return subprocess.run(
        ["/bin/bash", package.HERE / "emr_bootstrap.sh"],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pythons", "chosen", "installs"),
    [
        ({"python3.11": True}, "python3.11", False),
        ({"python3.13": False, "python3.11": True}, "python3.11", False),
        ({"python3.13": True, "python3.11": True}, "python3.13", False),
        ({"python3.12": False, "python3.11": False}, "python3.12", True),
    ],
)
def test_the_bootstrap_chooses_a_python_that_can_ask_for_secrets(tmp_path, pythons, chosen, installs):
    ran = bootstrap(tmp_path, pythons)
    asked = ran.stdout.splitlines()
    assert ran.returncode == 0, ran.stderr
    assert asked[-1] == f"sudo ln -sf {tmp_path}/{chosen} /usr/local/bin/spark-python"
    assert any(f"{chosen} -m pip install --quiet boto3==" in line for line in asked) == installs


def test_the_bootstrap_installs_the_locked_versions():
    script = (package.HERE / "emr_bootstrap.sh").read_text()
    locked = (ROOT / "requirements/cluster.txt").read_text()
    for name in ("boto3", "numpy", "pandas", "pyarrow"):
        (version,) = re.findall(rf"{name}==([0-9.]+)", script)
        assert re.search(rf"^{name}=={re.escape(version)}( |$)", locked, re.MULTILINE)


def test_the_bootstrap_says_what_is_missing(tmp_path):
    none = bootstrap(tmp_path, {"python3.9": True})
    assert none.returncode == 1 and "no Python 3.11 to 3.13; use an EMR release that has one" in none.stderr
    offline = bootstrap(tmp_path, {"python3.11": False}, pip=1)
    assert offline.returncode == 1 and "the subnet needs a way to a package index" in offline.stderr
