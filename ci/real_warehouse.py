"""The project's warehouse on a real Redshift or BigQuery, and its marts beside DuckDB's (ci/check_cloud.py)."""

import json
import os
import sys
from collections import Counter
from pathlib import Path

import pyarrow.fs

from ci.staged_sample import Warehouse

MOST_ROWS = 1_000_000


class RealWarehouse(Warehouse):
    """The target DBT_TARGET of profiles_template.yml, in schemas of its own."""

    def __init__(self, folder: Path, staging_uri: str, schema: str):
        super().__init__(folder, Path(staging_uri))
        self.settings = {"STAGING_URI": staging_uri, "DBT_SCHEMA": schema}

    def texts(self, table: str, columns: dict[str, str]) -> Counter:
        """The rows of a mart with every value as a text, through dbt."""
        # No warehouse but DuckDB casts all booleans to texts.
        values = [
            f"case when {name} then 'true' when not {name} then 'false' end as {name}"
            if type_ == "BOOLEAN"
            else f"cast({name} as {{{{ type_text() }}}}) as {name}"
            for name, type_ in columns.items()
        ]
        query = f"select {', '.join(values)} from {{{{ ref('{table}') }}}}"
        shown = self.dbt("--quiet", "show", "--inline", query, "--limit", str(MOST_ROWS), "--output", "json")
        if shown.returncode:
            sys.exit(f"error: {table} could not be read: {shown.stdout}")
        rows = json.loads(shown.stdout[shown.stdout.index("{") :])["show"]
        return Counter(tuple(plain(row[name], columns[name]) for name in columns) for row in rows)


def plain(text: str | None, type_: str) -> str | None:
    """Warehouses print the same decimal with more or fewer zeros."""
    if text is not None and type_.startswith("DECIMAL") and "." in str(text):
        return str(text).rstrip("0").rstrip(".")
    return None if text is None else str(text)


def compare(real: RealWarehouse, duckdb: Warehouse) -> list[str]:
    """The marts that differ, one line each."""
    differing = []
    for table in Warehouse.MARTS:
        columns = dict(
            duckdb.query(
                "select column_name, data_type from information_schema.columns "
                f"where table_schema = 'analytics_marts' and table_name = '{table}' order by ordinal_position"
            )
        )
        rows = duckdb.query(
            f"select {', '.join(f'cast({name} as varchar)' for name in columns)} from analytics_marts.{table}"
        )
        expected = Counter(
            tuple(plain(value, type_) for value, type_ in zip(row, columns.values(), strict=True))
            for row in rows
        )
        found = real.texts(table, columns)
        print(f"{table:24} {found.total():>8,} rows, {'the same' if found == expected else 'DIFFERENT'}")
        if found != expected:
            differing.append(
                f"{table}: only there {list(found - expected)[:3]}, only on DuckDB {list(expected - found)[:3]}"
            )
    return differing


def upload(folder: Path, uri: str) -> None:
    store, path = pyarrow.fs.FileSystem.from_uri(uri)
    for file in folder.glob("*/insert_date=*/**/*.parquet"):
        target = f"{path}/{file.relative_to(folder).as_posix()}"
        # A local folder has to be made; in a bucket there are none.
        store.create_dir(os.path.dirname(target), recursive=True)
        pyarrow.fs.copy_files(str(file), target, destination_filesystem=store)
