"""From measurements to figures: medians, stages, Amdahl's law, targets, tables."""

import shutil
from pathlib import Path

import pytest

from ci.benchmarks import document
from ci.benchmarks.event_log import Stage, heaviest, share_in_single_tasks, stages
from ci.benchmarks.feeds import Right
from ci.benchmarks.measure import Cost
from ci.benchmarks.result import Results, result_of
from ci.benchmarks.run import Run
from ci.benchmarks.scaling import Law, beyond_start_up, law
from ci.benchmarks.ways import ROOT, Input, ways

MB = 1 << 20
MACHINE = {"date": "2026-11-29", "processor": "2 cores, some processor", "memory": "23 GB"}


def test_stages_are_those_of_the_event_log(tmp_path):
    shutil.copy(Path(__file__).with_name("event_log.jsonl"), tmp_path / "local-1.inprogress")
    assert stages(tmp_path) == [Stage(3, 0.648 + 0.670 + 0.048), Stage(1, 0.234)]


def test_no_event_log_means_no_stages(tmp_path):
    assert stages(tmp_path) == []


def test_stages_of_one_task_are_told_from_others():
    found = [Stage(21, 30.0), Stage(1, 8.0), Stage(2, 2.0)]
    assert heaviest(found) == Stage(21, 30.0)
    assert share_in_single_tasks(found) == pytest.approx(0.2)
    assert share_in_single_tasks([]) == 0


def test_amdahl():
    """10 s of start, 4 s that only one core works on, 40 s that all share: 54 s with one core, 34 s with two."""
    found = law(one_core=54, two_cores=34, almost_empty=10, size_bytes=10**9)
    assert found.fixed == 10
    assert found.serial_per_byte == pytest.approx(4e-9) and found.parallel_per_byte == pytest.approx(40e-9)
    seconds = [found.seconds(10**9, cores) for cores in (1, 2, 4, 8, 16)]
    assert seconds == pytest.approx([54, 34, 24, 19, 16.5])
    assert found.serial_share(10**9) == pytest.approx(14 / 54)
    # ten times the bytes: 10 + 40 + 400 / n
    assert found.seconds(10**10, 4) == pytest.approx(150)
    assert beyond_start_up(54, 34, 10, 10) == pytest.approx(24 / 44)


@pytest.mark.parametrize(
    ("one", "two", "serial", "parallel"),
    # better than by half: all of it is shared; worse than with one core: nothing is
    [(50, 25, 0, 40), (50, 55, 40, 0)],
)
def test_amdahl_of_what_no_law_explains(one, two, serial, parallel):
    assert law(one, two, almost_empty=10, size_bytes=1) == Law(10, serial, parallel)


def test_cores_for_a_day():
    """(600 - 10 - 4 s a GB) / 40 s a GB and core"""
    found = Law(fixed=10, serial_per_byte=4e-9, parallel_per_byte=40e-9)
    assert found.cores_for(10**9, 600) == 1
    assert found.cores_for(100 * 10**9, 600) == 22  # 4000 / 190 = 21.05
    assert found.cores_for(200 * 10**9, 600) is None


def results(wall, size=200 * MB) -> Results:
    """Of all ways; each takes 20 s, or as long as is said. One of the rounds is slow, another one fast."""
    inputs = {feed: Input("file", Right(200_000, 1, 1)) for feed in ("reviews", "logs", "export")}
    few = {feed: inputs[feed] for feed in ("reviews", "logs")}
    stages_ = [Stage(4, 10.0), Stage(1, 0.1), Stage(1, 2.0)]

    def runs(seconds):
        costs = [Cost(seconds * factor, 2 * seconds, 512 * MB, 0, 0) for factor in (5, 1, 0.2)]
        return [Run(cost, stages_, 0.5) for cost in costs]

    return Results(
        [result_of(way, runs(wall.get(f"{way.feed} {way.name}", 20.0))) for way in ways(inputs, few)],
        {"reviews": size, "logs": size, "export": 0},
    )


SCALING = {
    "copy job, ten records": 5,
    "local[1], ten records": 10,
    "local[2], ten records": 10,
    "local[1]": 54,
    "local[2]": 34,
}
WALL = {f"{feed} {name}": seconds for feed in ("reviews", "logs") for name, seconds in SCALING.items()}


def test_figures_are_medians_and_targets_are_ratios_of_them():
    found = results(
        WALL | {"reviews Tokenizer": 70, "reviews model": 21, "logs this project": 17, "reviews local[2]": 40}
    )
    verdicts = {target.text: (target.measured, target.verdict()) for target in found.targets()}
    assert verdicts == {
        "reviews: at most 1.1 × copy job": ("1.00 ×", "met"),
        "reviews: at most 0.33 × Tokenizer": ("0.29 ×", "met"),
        "reviews: two cores take at most 0.6 × the time of one, start-up aside": ("0.68 ×", "missed"),
        "reviews: each further GB takes at most 0.8 × copy job": ("0.67 ×", "met"),  # 10 / 15
        "reviews: ten records on two cores take at most 12 s": ("10.0 s", "met"),
        "reviews: a task for each 64 MB in the heaviest stage, or more (4)": ("4", "met"),
        "reviews: lexicon classifies and stages at least 5,000 in a second of CPU": ("5,000", "met"),  # 40 s
        "reviews: model classifies and stages at least 5,000 in a second of CPU": ("4,762", "missed"),  # 42 s
        "logs: at most 0.8 × from_xml": ("0.85 ×", "missed"),
        "logs: two cores take at most 0.6 × the time of one, start-up aside": ("0.55 ×", "met"),
        "logs: each further GB takes at most 0.8 × copy job": ("0.47 ×", "met"),  # 7 / 15
        "logs: ten records on two cores take at most 12 s": ("10.0 s", "met"),
        "logs: a task for each 64 MB in the heaviest stage, or more (4)": ("4", "met"),
        "export: at most 1.5 × bare ADBC": ("1.00 ×", "met"),
    }


def test_a_job_with_too_few_tasks_misses_its_target():
    (tasks,) = [
        target for target in results(WALL, size=300 * MB).targets() if "reviews: a task" in target.text
    ]
    assert (tasks.text[-4:], tasks.measured, tasks.verdict()) == (" (5)", "4", "missed")


def test_feeds_that_are_too_small_tell_nothing_about_cores():
    small = results(WALL | {"reviews local[1]": 11, "reviews local[2]": 12})
    assert small.tell_what_cores_bring() == ["logs"]
    (target,) = [target for target in small.targets() if target.text.startswith("reviews: two cores")]
    assert target.verdict() == "too little work to tell"
    assert "| reviews |" not in document.markdown(small, MACHINE, 1000, 3).partition("## More cores")[2]


def test_the_document_holds_every_way_and_says_what_is_computed():
    text = document.markdown(results(WALL | {"logs this project": 17}), MACHINE, 1_000_000, 3)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for way in (
        "this project",
        "copy job",
        "Tokenizer",
        "Python UDF",
        "from_xml",
        "xpath",
        "regexp_extract",
        "DuckDB",
    ):
        assert any(row.startswith(f"| {way} | ") for row in rows), way
    assert "| this project | 17.0 | 34.0 | 512 | 1.00 | 4, 1 | 17% |" in text
    assert "| processor | 2 cores, some processor |" in text
    assert "| logs: at most 0.8 × from_xml | 0.85 × | **missed** |" not in text  # 17 / 20
    assert "not measured" in text.partition("## More cores")[2]
    assert "| reviews | 54 s | 34 s | 24 s | 19 s | 16 s | 26% | 10.0 s |" in text


def test_the_readmes_figures_are_replaced_and_nothing_else(tmp_path, monkeypatch):
    readme, page = tmp_path / "README.md", tmp_path / "benchmark.md"
    monkeypatch.setattr(document, "README", readme)
    monkeypatch.setattr(document, "DOCUMENT", page)
    before, after = document.FIGURES.split(ROOT.joinpath("README.md").read_text())[::3]
    shutil.copy(ROOT / "README.md", readme)
    for _ in range(2):
        document.publish(results(WALL), MACHINE, 1_000_000, 3)
    text = readme.read_text()
    assert text.startswith(before) and text.endswith(after) and len(before) > 1000 and len(after) > 1000
    assert "2 cores, some processor, 23 GB, 2026-11-29; medians of 3 rounds" in text
    assert (
        "| 1,000,000 reviews, one file of 0.21 GB, classified and staged | 20 s; a Spark job that only copies: 20 s"
        in text
    )
    assert (
        "| two cores instead of one, start-up aside | 0.55 × the time (reviews), 0.55 × the time (logs) |"
        in text
    )
    assert page.read_text().startswith("# Benchmark\n")
