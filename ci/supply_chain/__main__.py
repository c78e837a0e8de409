"""What the locks in requirements/ hold: `make sbom`, `make audit`.

    python -m ci.supply_chain sbom dist/sbom    a CycloneDX file for each environment, and licences.md
    python -m ci.supply_chain audit             vulnerabilities by the database OSV_DATABASE, a file; without one it says so

`audit` ends with 1 for a vulnerability that is not allowed, and for a line of allowed_vulnerabilities.csv that is over or no longer needed.
"""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from ci.supply_chain.bill_of_materials import bill_of_materials, licence_list
from ci.supply_chain.licences import installed_licences
from ci.supply_chain.locks import locked
from ci.supply_chain.vulnerabilities import allowed, complaints, vulnerabilities

ROOT = Path(__file__).parents[2]
DATABASE = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"


def sbom(folder: Path) -> None:
    environments, licences = locked(ROOT / "requirements"), installed_licences(ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    for name, pins in environments.items():
        (folder / f"{name}.cdx.json").write_text(bill_of_materials(name, pins, licences), encoding="utf-8")
    (folder / "licences.md").write_text(licence_list(environments, licences), encoding="utf-8")
    print(f"{len(environments)} bills of materials and licences.md in {folder}")


def audit() -> int:
    if not (database := os.environ.get("OSV_DATABASE", "")):
        print(
            f"skipped: no vulnerability was looked for. Download {DATABASE} and set OSV_DATABASE to the file"
        )
        return 0
    environments = locked(ROOT / "requirements")
    exceptions = allowed(Path(__file__).with_name("allowed_vulnerabilities.csv"))
    found = vulnerabilities(Path(database), environments)
    lines = complaints(found, exceptions, datetime.now(UTC).date())
    pins = {(pin.name, pin.version) for pins in environments.values() for pin in pins}
    print(*lines, f"{len(pins)} packages, {len(found)} vulnerabilities, {len(lines)} to act on", sep="\n")
    return 1 if lines else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m ci.supply_chain", description="What the locks in requirements/ hold."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "sbom", help="write a CycloneDX file for each environment, and a list of licences"
    ).add_argument("folder", type=Path)
    commands.add_parser("audit", help="look for known vulnerabilities in the database OSV_DATABASE")
    arguments = parser.parse_args()
    if arguments.command == "audit":
        sys.exit(audit())
    sbom(arguments.folder)
