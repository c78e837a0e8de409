"""The exact pins of the environments, from their locks."""

import re
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


class Pin(NamedTuple):
    """A package of a lock, by its canonical name; `hashes` are SHA-256 of its files, in hex."""

    name: str
    version: str
    hashes: tuple[str, ...]


def locked(folder: Path) -> dict[str, list[Pin]]:
    """Environment -> its pins, in the order of its lock <folder>/<environment>.txt."""
    return {file.stem: pins(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.txt"))}


def pins(lock: str) -> list[Pin]:
    """A pin is a line `name==version ; marker \\`, and below it its hashes. A package may have several, for different machines."""
    found = []
    for entry in re.split(r"^(?=[a-zA-Z0-9])", lock, flags=re.MULTILINE)[1:]:
        requirement = Requirement(entry.partition("\\\n")[0].partition(" #")[0].strip())
        (version,) = (specifier.version for specifier in requirement.specifier)
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        found.append(Pin(canonicalize_name(requirement.name), version, hashes))
    return found
