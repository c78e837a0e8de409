"""dbt's source YAML is the contract of the staging layer: what Spark and the export write equals it."""

import re

import pyarrow as pa
import pytest

from spark_prep.contract import tables
from spark_prep.logs import review_log

ARROW_TYPE_OF = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "decimal(8,3)": pa.decimal128(8, 3),
}
WRITTEN = {**tables.STAGING, **tables.OPTIONAL, "delivery": tables.DELIVERY, "rejection": tables.REJECTION}


def declared(manifest: dict) -> dict[str, dict]:
    return {
        source["name"]: source
        for source in manifest["sources"].values()
        if source["source_name"] == "staging"
    }


def test_dbt_declares_every_table_that_is_written_and_no_other(manifest):
    assert declared(manifest).keys() == WRITTEN.keys()


@pytest.mark.parametrize("table", WRITTEN)
def test_the_declared_columns_are_the_written_ones_in_order_and_type(manifest, table):
    columns = declared(manifest)[table]["columns"].values()
    types = {column["name"]: re.sub(r"^string\(\d+\)$", "string", column["data_type"]) for column in columns}
    assert [(name, ARROW_TYPE_OF[type_]) for name, type_ in types.items()] == [
        (field.name, field.type) for field in WRITTEN[table]
    ]


@pytest.mark.parametrize("table", WRITTEN)
def test_every_text_has_a_length(manifest, table):
    """In bytes. The longest that Redshift has by default is 65,535, and it takes memory by what is declared:
    https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-smallest-column-size.html"""
    source = declared(manifest)[table]
    columns = [*source["columns"].values(), *source["external"]["partitions"]]
    texts = [column["data_type"] for column in columns if column["data_type"].startswith("string")]
    assert texts and all(int(text.removeprefix("string(").removesuffix(")")) <= 4000 for text in texts)


def test_the_vendors_texts_are_rejected_before_they_are_too_long(manifest):
    columns = declared(manifest)["review_logs"]["columns"]
    for name in ("device", "os", "location", "browser"):
        assert columns[name]["data_type"] == f"string({review_log.MOST_BYTES + 1})"


@pytest.mark.parametrize("table", WRITTEN)
def test_a_day_has_folders_of_its_runs_but_in_delivery_which_names_one(manifest, table):
    external = declared(manifest)[table]["external"]
    partitions = [("insert_date", "date"), ("run", "string(64)")]
    assert [(column["name"], column["data_type"]) for column in external["partitions"]] == (
        partitions[:1] if table == "delivery" else partitions
    )
    assert external["file_format"] == "parquet"
