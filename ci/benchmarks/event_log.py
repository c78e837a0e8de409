"""What Spark's event log says about the stages of a job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple


class Stage(NamedTuple):
    """Tasks of a stage, and the seconds that they ran, added up."""

    tasks: int
    seconds: float


def settings(folder: Path) -> dict[str, str]:
    """Of a session that writes its log into the folder, as one plain file."""
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.as_uri(),
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
    }


def stages(folder: Path) -> list[Stage]:
    """Of the only log in the folder, in the order of their numbers; empty when there is no log."""
    tasks: dict[int, list[float]] = {}
    for log in folder.glob("*"):
        for line in log.read_text().splitlines():
            event = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
                seconds = event["Task Metrics"]["Executor Run Time"] / 1000
                tasks.setdefault(event["Stage ID"], []).append(seconds)
    return [Stage(len(seconds), sum(seconds)) for _, seconds in sorted(tasks.items())]


def heaviest(stages: list[Stage]) -> Stage:
    return max(stages, key=lambda stage: stage.seconds)


def share_in_single_tasks(stages: list[Stage]) -> float:
    """Of all task time: what no further core makes shorter."""
    total = sum(stage.seconds for stage in stages)
    return sum(stage.seconds for stage in stages if stage.tasks == 1) / total if total else 0.0
