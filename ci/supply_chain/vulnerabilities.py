"""Known vulnerabilities of the pins, by a database in the format of OSV: a zip file of JSON records, as osv.dev publishes it."""

import csv
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ci.supply_chain.locks import Pin


class Vulnerability(NamedTuple):
    """`ids`: its name in OSV, and its other names."""

    ids: tuple[str, ...]
    package: str
    version: str
    environments: tuple[str, ...]
    summary: str


class Allowed(NamedTuple):
    id: str
    package: str
    until: date
    why: str


def vulnerabilities(database: Path, environments: Mapping[str, Sequence[Pin]]) -> list[Vulnerability]:
    """All of them, each once, however many records describe it."""
    used: dict[str, dict[str, set[str]]] = {}
    for environment, pins in environments.items():
        for pin in pins:
            used.setdefault(pin.name, {}).setdefault(pin.version, set()).add(environment)
    found: list[Vulnerability] = []
    with zipfile.ZipFile(database) as records:
        for file in sorted(records.namelist()):
            record = json.loads(records.read(file))
            if "withdrawn" in record:
                continue
            ids = (record["id"], *record.get("aliases", ()))
            for affected in record.get("affected", ()):
                package = affected.get("package", {})
                name = canonicalize_name(package.get("name", ""))
                if package.get("ecosystem") != "PyPI" or name not in used:
                    continue
                for version, names in used[name].items():
                    is_known = any((name, version) == other[1:3] and {*ids} & {*other.ids} for other in found)
                    if not is_known and is_affected(Version(version), affected):
                        found.append(
                            Vulnerability(ids, name, version, tuple(sorted(names)), record.get("summary", ""))
                        )
    return found


def is_affected(version: Version, affected: Mapping[str, Any]) -> bool:
    """By the record's versions, or its ranges."""
    if any(_version(text) == version for text in affected.get("versions", ())):
        return True
    return any(
        _is_in_range(version, one["events"])
        for one in affected.get("ranges", ())
        if one["type"] == "ECOSYSTEM"
    )


def _is_in_range(version: Version, events: Iterable[Mapping[str, str]]) -> bool:
    is_inside = False
    ordered = [(_version(text), what) for event in events for what, text in event.items()]
    for at, what in sorted((at, what) for at, what in ordered if at is not None):
        if what == "introduced" and version >= at:
            is_inside = True
        elif (what == "fixed" and version >= at) or (what == "last_affected" and version > at):
            is_inside = False
    return is_inside


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def allowed(file: Path) -> list[Allowed]:
    """The lines of id,package,until,why: what is known, and why it does no harm here until that day."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            Allowed(
                row["id"], canonicalize_name(row["package"]), date.fromisoformat(row["until"]), row["why"]
            )
            for row in csv.DictReader(lines)
        ]


def complaints(found: Sequence[Vulnerability], exceptions: Sequence[Allowed], today: date) -> list[str]:
    """What somebody has to act on, a line each."""
    lines = []
    for one in found:
        matching = [line for line in exceptions if line.package == one.package and line.id in one.ids]
        if not matching:
            lines.append(
                f"{one.package} {one.version} ({', '.join(one.environments)}): {' '.join(one.ids)} {one.summary}".rstrip()
            )
        lines += [
            f"{one.package} {one.version}: {line.id} was allowed until {line.until}: {line.why}"
            for line in matching
            if line.until < today
        ]
    for line in exceptions:
        if not any(line.package == one.package and line.id in one.ids for one in found):
            lines.append(
                f"{line.package}: {line.id} is allowed, but no lock has it any more: remove the line"
            )
    return lines
