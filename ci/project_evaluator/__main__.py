"""Runs the rules of dbt-project-evaluator on the dbt project.

    python -m ci.project_evaluator

It is a package of dbt's hub, so this needs a network and is no part of `make test`; the project itself installs no package. A
copy of the project gets the package, is evaluated on an empty DuckDB file, and is thrown away. Every rule has to hold, but for
the exceptions in exceptions.csv, each with its reason. Ends with 1 if one does not hold, with 2 if the package cannot be had.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

from ci.staged_sample import ROOT, Warehouse

HERE = Path(__file__).parent
EVALUATOR = "dbt_project_evaluator"
SETTINGS = {
    # A key is tested as unique; that it is not NULL is in the contract of a mart, and in what the others are grouped by.
    "primary_key_test_macros": [["dbt.test_unique"], ["movie_analytics.test_unique_together"]],
    "model_types": ["staging", "intermediate", "marts"],
    # The models without a key have nothing else to be tested for before they are joined.
    "test_coverage_target": 90,
}


def evaluated_project(folder: Path) -> Path:
    """A copy of the dbt project that has the evaluator as a package, its settings, and the exceptions as a seed."""
    project = shutil.copytree(
        ROOT / "dbt_project", folder / "project", ignore=shutil.ignore_patterns("target", "logs")
    )
    shutil.copy(HERE / "packages.yml", project)
    shutil.copy(HERE / "exceptions.csv", project / f"seeds/{EVALUATOR}_exceptions.csv")
    settings = yaml.safe_load((project / "dbt_project.yml").read_text())
    settings["vars"][EVALUATOR] = SETTINGS
    settings["seeds"][EVALUATOR] = {f"{EVALUATOR}_exceptions": {"+enabled": False}}
    settings["dispatch"] = [{"macro_namespace": "dbt", "search_order": ["movie_analytics", EVALUATOR, "dbt"]}]
    (project / "dbt_project.yml").write_text(yaml.safe_dump(settings, sort_keys=False))
    return project


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "warehouse", Path(folder) / "staging")
        project = evaluated_project(Path(folder))
        installed = warehouse.dbt("deps", project=project)
        if installed.returncode:
            print(installed.stdout)
            print("error: the packages cannot be had here, so the project was not evaluated", file=sys.stderr)
            sys.exit(2)
        warehouse.stage_external_sources(project=project)
        built = warehouse.dbt(
            "build", "--select", f"package:{EVALUATOR}", f"{EVALUATOR}_exceptions", project=project
        )
        results = json.loads((warehouse.folder / "target/run_results.json").read_text())["results"]
    rules = [result for result in results if result["unique_id"].startswith("test.")]
    broken = [result["unique_id"].split(".")[2] for result in rules if result["status"] != "pass"]
    if built.returncode or broken or not rules:
        print(built.stdout)
        sys.exit(f"error: {len(broken)} of {len(rules)} rules do not hold: {', '.join(broken)}")
    print(f"{len(rules)} rules hold")


if __name__ == "__main__":
    main()
