"""The commands of `make report` and `make docs` on a warehouse of the tests."""

import os
import subprocess
from pathlib import Path

from ci import resident
from ci.staged_sample import ROOT, Warehouse


def build_pages(
    command: str, warehouse: Warehouse, *site: Path | str, **settings: str
) -> subprocess.CompletedProcess:
    """Run the command of `make report` (pages.report.build) or of `make docs` (pages.docs_site.build) on the warehouse."""
    places = {"DBT_PROFILES_DIR": str(warehouse.folder), "DBT_LOG_PATH": str(warehouse.folder / "logs")}
    return resident.module(
        command, [str(warehouse.folder / command), *map(str, site)],
        cwd=ROOT, environment={**os.environ, **warehouse.settings, **places, **settings},
    )  # fmt: skip


def build_report(warehouse: Warehouse, site: Path, **settings: str) -> subprocess.CompletedProcess:
    return build_pages("pages.report.build", warehouse, site, **settings)
