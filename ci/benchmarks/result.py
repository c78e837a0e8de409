"""What came out: medians, and what was aimed at."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from ci.benchmarks.event_log import Stage, heaviest
from ci.benchmarks.run import Run
from ci.benchmarks.scaling import Law, beyond_start_up, law
from ci.benchmarks.ways import CLASSIFIERS, FEW, PROJECT, Way

MB = 1 << 20
# What a task of the project's jobs reads of a file (PIECE_MB, .env.example).
SPLIT_BYTES = 64 * MB
# With less work of one core beyond the start, what a second core brings is lost in the start's own ups and downs.
LEAST_WORK_SECONDS = 2

# Of a peer's wall time.
AT_MOST = {
    "reviews": {"copy job": 1.1, "Tokenizer": 1 / 3},
    "logs": {"from_xml": 0.8},
    "export": {"bare ADBC": 1.5},
}
# Of the classifiers beside keyword, in a second of CPU.
LEAST_REVIEWS = 5_000


class Result(NamedTuple):
    """Medians over the rounds of one way; the stages of its last round."""

    way: Way
    wall: float
    cpu: float
    server_cpu: float
    peak_bytes: float
    stages: list[Stage]


class Target(NamedTuple):
    """What was aimed at, what was measured, and whether that is met; None when the feeds are too small to tell."""

    text: str
    measured: str
    is_met: bool | None

    def verdict(self) -> str:
        return {True: "met", False: "missed", None: "too little work to tell"}[self.is_met]


class Results:
    """All results of a benchmark, by feed and name of the way; sizes are those of the feeds, in bytes."""

    def __init__(self, results: Iterable[Result], sizes: dict[str, int]):
        self.of = {(result.way.feed, result.way.name): result for result in results}
        self.sizes = sizes
        self.feeds = list(sizes)

    def ways(self, feed: str) -> list[Result]:
        """Those that are compared: without the runs that show what cores bring and what the start takes."""
        of_feed = (result for result in self.of.values() if result.way.feed == feed)
        return [result for result in of_feed if result.way.cores is None and not result.way.is_almost_empty]

    def wall(self, feed: str, name: str = PROJECT) -> float:
        return self.of[feed, name].wall

    def tell_what_cores_bring(self) -> list[str]:
        """The feeds that are large enough for it."""
        return [feed for feed in self.feeds if feed != "export" and self._work(feed) >= LEAST_WORK_SECONDS]

    def _work(self, feed: str) -> float:
        return self.wall(feed, "local[1]") - self.wall(feed, f"local[1]{FEW}")

    def beyond_start_up(self, feed: str) -> float:
        one, two = self.wall(feed, "local[1]"), self.wall(feed, "local[2]")
        few = [self.wall(feed, f"local[{cores}]{FEW}") for cores in (1, 2)]
        return beyond_start_up(one, two, *few)

    def further_gb(self, feed: str) -> float:
        """What each further byte takes, by what it takes the copy job, both with all cores."""
        ours = self.wall(feed) - self.wall(feed, f"local[2]{FEW}")
        return ours / (self.wall(feed, "copy job") - self.wall(feed, f"copy job{FEW}"))

    def law(self, feed: str) -> Law:
        few = self.wall(feed, f"local[2]{FEW}")
        return law(self.wall(feed, "local[1]"), self.wall(feed, "local[2]"), few, self.sizes[feed])

    def targets(self) -> list[Target]:
        found = []
        for feed in self.feeds:
            for peer, bound in AT_MOST[feed].items():
                ratio = self.wall(feed) / self.wall(feed, peer)
                found.append(
                    Target(f"{feed}: at most {bound:.2g} × {peer}", f"{ratio:.2f} ×", ratio <= bound)
                )
            if feed != "export":
                found += self._targets_of_spark(feed)
            if feed == "reviews":
                found += map(self._target_of_classifier, CLASSIFIERS)
        return found

    def _target_of_classifier(self, name: str) -> Target:
        result = self.of["reviews", name]
        reviews = result.way.right[0] / result.cpu
        text = f"reviews: {name} classifies and stages at least {LEAST_REVIEWS:,} in a second of CPU"
        return Target(text, f"{reviews:,.0f}", reviews >= LEAST_REVIEWS)

    def _targets_of_spark(self, feed: str) -> list[Target]:
        few, stages = self.wall(feed, f"local[2]{FEW}"), self.of[feed, PROJECT].stages
        splits, tasks = math.ceil(self.sizes[feed] / SPLIT_BYTES), heaviest(stages).tasks if stages else 0
        ratios = {
            f"{feed}: two cores take at most 0.6 × the time of one, start-up aside": (
                self.beyond_start_up,
                0.6,
            ),
            f"{feed}: each further GB takes at most 0.8 × copy job": (self.further_gb, 0.8),
        }
        found = []
        for text, (ratio_of, bound) in ratios.items():
            if feed in self.tell_what_cores_bring():
                found.append(Target(text, f"{ratio_of(feed):.2f} ×", ratio_of(feed) <= bound))
            else:
                found.append(Target(text, "", None))
        each_split = f"{feed}: a task for each 64 MB in the heaviest stage, or more ({splits})"
        return [
            *found,
            Target(f"{feed}: ten records on two cores take at most 12 s", f"{few:.1f} s", few <= 12),
            Target(each_split, f"{tasks}", tasks >= splits),
        ]


def result_of(way: Way, runs: list[Run]) -> Result:
    return Result(
        way,
        wall=median(run.cost.wall for run in runs),
        cpu=median(run.cost.cpu for run in runs),
        server_cpu=median(run.server_cpu for run in runs),
        peak_bytes=median(run.cost.peak_bytes for run in runs),
        stages=runs[-1].stages,
    )
