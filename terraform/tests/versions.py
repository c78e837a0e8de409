"""The tables of aws/versions.tf and gcp/versions.tf: what a stack runs, and until when that is supported."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from terraform.tests.cli import TREE

LINE = re.compile(
    r'^    (\w+) += { version = "([\w.-]+)", supported_until = (?:"(.+)"|null) } +# (.+)$', re.MULTILINE
)


class Version(NamedTuple):
    name: str
    version: str
    # Empty where no end is announced.
    supported_until: str
    source: str


def versions(cloud: str) -> list[Version]:
    return [Version(*found) for found in LINE.findall(Path(TREE, cloud, "versions.tf").read_text())]
