"""What further cores would give, computed from runs with one core and with two.

A run of n cores takes t(n) = serial + parallel / n (Amdahl). With t(1) and t(2) measured, parallel = 2 (t(1) - t(2)) and
serial = t(1) - parallel. Serial is at least what an almost empty day takes.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Law(NamedTuple):
    """Of a job: seconds that every run takes; seconds for each byte that only one core works on; seconds of a core for each byte
    that all cores share."""

    fixed: float
    serial_per_byte: float
    parallel_per_byte: float

    def seconds(self, size_bytes: int, cores: int) -> float:
        return self.fixed + size_bytes * (self.serial_per_byte + self.parallel_per_byte / cores)

    def serial_share(self, size_bytes: int) -> float:
        """Of a run with one core."""
        return 1 - size_bytes * self.parallel_per_byte / self.seconds(size_bytes, 1)

    def cores_for(self, size_bytes: int, seconds: float) -> int | None:
        """The fewest cores that do it in so many seconds; None when no number does."""
        left = seconds - self.fixed - size_bytes * self.serial_per_byte
        return max(1, math.ceil(size_bytes * self.parallel_per_byte / left)) if left > 0 else None


def law(one_core: float, two_cores: float, almost_empty: float, size_bytes: int) -> Law:
    """From the wall times of a run with one core, with two, and of an almost empty day."""
    beyond = one_core - almost_empty
    parallel = max(0.0, min(2 * (one_core - two_cores), beyond))
    return Law(almost_empty, (beyond - parallel) / size_bytes, parallel / size_bytes)


def beyond_start_up(
    one_core: float, two_cores: float, empty_one_core: float, empty_two_cores: float
) -> float:
    """Time with two cores by time with one, without what an almost empty day takes."""
    return (two_cores - empty_two_cores) / (one_core - empty_one_core)
