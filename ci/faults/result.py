"""What is said of a fault in the end."""

from __future__ import annotations

from typing import NamedTuple


class Result(NamedTuple):
    """What became of a fault: in how many of the rounds it struck, how many records and rows were compared, what was found."""

    fault: str
    rounds: int
    struck: int
    compared: int
    note: str
    findings: list[str]
