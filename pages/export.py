"""The marts as files to take along: Parquet, CSV and a data dictionary.

    python -m pages.export dbt_project/target/manifest.json dist/marts

Reads the DuckDB file DUCKDB_PATH. It has what readers of the other warehouses see (schema analytics_reading): no profiles, and no column
whose meta marks it as personal data (`personal_data`). Running it again replaces the files. In a CSV file a text that a spreadsheet would run as a formula has an apostrophe
before it; Parquet has it as it is.
"""

import codecs
import csv
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import duckdb

from pages.report.csv_file import FORMULA

TABLES = (
    "fact_movie_analytics", "dim_date", "dim_devices", "dim_location", "dim_os", "dim_browser", "movie_analytics_obt",
    "customer_cohort_retention",
)  # fmt: skip
ROWS_OF_A_SHEET = 1_048_576


def export(manifest: dict[str, Any], database: Path, folder: Path) -> None:
    """Writes <table>.parquet and <table>.csv of each table, and data_dictionary.csv. Ends the program if the warehouse lacks one."""
    models = {
        name: manifest["nodes"][f"model.{manifest['metadata']['project_name']}.{name}"] for name in TABLES
    }
    if not database.exists():
        sys.exit(
            f"error: there is no warehouse at {database}: run make run first (or make demo), or set DUCKDB_PATH"
        )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with duckdb.connect(str(database), read_only=True) as warehouse:
            for name, model in models.items():
                _export_table(warehouse, name, model, folder)
    except duckdb.IOException as error:
        sys.exit(f"error: {database} cannot be read; does a run write to it? Wait for its end. ({error})")
    except duckdb.CatalogException as error:
        sys.exit(f"error: {database} lacks a mart: build all with make run first (or make demo). ({error})")
    _write_dictionary(models, folder / "data_dictionary.csv")
    print(f"exported    {folder}: data_dictionary.csv says what each column means")


def exported_columns(model: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The columns of a model that neither name a person, nor lead back to one or link their rows."""
    return {
        name: column
        for name, column in model["columns"].items()
        if "personal_data" not in column["config"].get("meta", {})
    }


def _export_table(
    warehouse: duckdb.DuckDBPyConnection, name: str, model: dict[str, Any], folder: Path
) -> None:
    columns = exported_columns(model)
    rows = warehouse.table(f"{model['schema']}.{model['alias']}").project(", ".join(columns)).order("all")
    part = folder / f"{name}.part"
    rows.write_parquet(str(part))
    part.replace(folder / f"{name}.parquet")
    texts = [column for column, about in columns.items() if about["data_type"] == "string"]
    beginnings = ", ".join(f"'{beginning}'" for beginning in FORMULA)
    harmless = ", ".join(
        f"case when left(ltrim({column}, ' '), 1) in ({beginnings}) then '''' || {column} else {column} end as {column}"
        for column in texts
    )
    (rows.project(f"* replace ({harmless})") if texts else rows).write_csv(str(part), header=True)
    # Spreadsheets recognise UTF-8 by its mark.
    with open(part, "rb") as text, open(folder / f"{name}.csv.part", "wb") as marked:
        marked.write(codecs.BOM_UTF8)
        shutil.copyfileobj(text, marked)
    part.unlink()
    Path(marked.name).replace(folder / f"{name}.csv")
    is_too_long = len(rows) >= ROWS_OF_A_SHEET
    print(f"{name:27} {len(rows):>12,} rows" + (", more than a sheet of Excel holds" if is_too_long else ""))


def _write_dictionary(models: dict[str, dict[str, Any]], file: Path) -> None:
    """A row for each table, without a column, and one for each of its columns."""
    with open(file, "w", encoding="utf-8-sig", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["table", "column", "type", "description"])
        for name, model in models.items():
            writer.writerow([name, "", "", _one_line(model["description"])])
            for column, about in exported_columns(model).items():
                writer.writerow([name, column, about["data_type"], _one_line(about["description"])])


def _one_line(description: str) -> str:
    return " ".join(description.split())


def main(manifest: str, folder: str) -> None:
    if os.environ.get("DBT_TARGET", "dev") != "dev":
        sys.exit(
            "error: make export reads a DuckDB file (DBT_TARGET=dev). Redshift's UNLOAD and BigQuery's EXPORT DATA write the views of "
            "analytics_reading, which are the same."
        )
    database = Path(os.environ.get("DUCKDB_PATH", "data/demo/warehouse.duckdb"))
    export(json.loads(Path(manifest).read_text()), database, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
