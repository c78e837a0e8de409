"""The ways do what they are compared for, and a wrong result is no result."""

import subprocess
import sys
from pathlib import Path

import pytest

from ci.benchmarks import __main__ as command
from ci.benchmarks.event_log import heaviest
from ci.benchmarks.feeds import DAY, Right, write_logs, write_model, write_reviews
from ci.benchmarks.run import BenchmarkError, check_rows, run
from ci.benchmarks.ways import ROOT, Input, ways

SIZE = 300


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    work = tmp_path_factory.mktemp("feeds")
    return {
        "reviews": Input(*write_reviews(work / "raw", DAY, SIZE)),
        "logs": Input(*write_logs(work / "raw", DAY, SIZE)),
    }


def way_of(inputs, feed, name):
    (way,) = [way for way in ways(inputs, inputs) if (way.feed, way.name) == (feed, name)]
    return way


@pytest.mark.parametrize("feed", ["reviews", "logs"])
def test_one_machine_gives_the_right_rows(feed, inputs, tmp_path):
    found = run(way_of(inputs, feed, "DuckDB"), {}, tmp_path)
    assert found.cost.wall > 0 and found.stages == [] and found.server_cpu == 0
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_result_is_no_result(inputs, tmp_path):
    one_too_many = inputs["reviews"]._replace(
        right=Right(SIZE, SIZE * (SIZE + 1) // 2, inputs["reviews"].right.matches + 1)
    )
    with pytest.raises(BenchmarkError, match=r"reviews, DuckDB: count.* gives .* is right"):
        run(way_of({"reviews": one_too_many}, "reviews", "DuckDB"), {}, tmp_path)


def test_a_way_that_fails_says_why(tmp_path):
    nowhere = Input(f"{tmp_path}/nowhere.csv", Right(1, 1, 1))
    with pytest.raises(BenchmarkError, match=r"exit code 1\n(.|\n)*nowhere\.csv"):
        run(way_of({"reviews": nowhere}, "reviews", "DuckDB"), {}, tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "0"], "argument --size: invalid _count value: '0'"),
        (["--feeds", "logs", "--publish"], "--publish needs all feeds, or none of them"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", *options])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2 and message in capsys.readouterr().err


def test_settings_of_a_pipeline_that_are_loaded_have_no_influence(monkeypatch, inputs, tmp_path):
    monkeypatch.setenv("STAGING_URI", "s3://production/staging")
    monkeypatch.setenv("PIECE_MB", "1")
    monkeypatch.setenv("CLASSIFIER", "lexicon")
    seen = way_of(inputs, "reviews", "DuckDB")._replace(
        command=(
            sys.executable,
            "-c",
            "import os; raise SystemExit(f\"{os.environ['STAGING_URI']} {os.environ.get('PIECE_MB')} {os.environ.get('CLASSIFIER')}\")",
        )
    )
    with pytest.raises(BenchmarkError, match=rf"{tmp_path}/\w+/out/staging None None"):
        run(seen, {}, tmp_path)


def test_the_export_and_its_peers_give_the_right_rows(monkeypatch, capsys):
    """The whole command: it ends well only if all rows are right."""
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--size", "200", "--rounds", "2", "--feeds", "export"])
    command.main()
    lines = capsys.readouterr().out.splitlines()
    rounds = [line[20:43].strip() for line in lines if line.startswith("round ")]
    assert rounds == ["this project", "bare ADBC", "pandas"] * 2
    assert [line.split()[0] for line in lines if " wall s " in line] == ["Purchases"]


@pytest.mark.slow
def test_each_spark_job_gives_the_right_rows(inputs, tmp_path):
    jobs = [way for way in ways(inputs, {}) if "ci.benchmarks.peers.spark" in way.command]
    assert len(jobs) == 7
    outs = {way: tmp_path / f"{number}" for number, way in enumerate(jobs)}
    # in one session, by the arguments that each is started with
    starts = [(*way.command[3:-1], str(out / "rows")) for way, out in outs.items()]
    code = f"from ci.benchmarks.peers.spark import main\nfor start in {starts!r}: main(*start)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    for way, out in outs.items():
        check_rows(way, out)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("feed", "name"), [("reviews", "this project"), ("reviews", "model"), ("logs", "local[1]")]
)
def test_the_projects_jobs_are_measured_with_their_stages(feed, name, inputs, tmp_path):
    (raw,) = {Path(input_.source).parents[2] for input_ in inputs.values()}
    write_model(tmp_path / "model", 1000)
    environment = {
        "RAW_URI": str(raw),
        "MODEL_URI": f"{tmp_path}/model",
        "PSEUDONYM_SECRET": "only-for-tests-0123456789",
        "QUARANTINE_SECRET": "only-for-tests-0123456789",
    }
    found = run(way_of(inputs, feed, name), environment, tmp_path)
    assert found.cost.cpu > 0 and found.cost.peak_bytes > 100e6
    assert heaviest(found.stages).tasks >= 1
