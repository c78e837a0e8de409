"""dbt's source YAML is the contract of the staging layer: what Spark and the export write equals it."""

import pyarrow as pa
import pytest
from pyspark.sql import types as T

from spark_prep.contract import tables
from spark_prep.shop import export_purchases

SPARK_TYPE_OF = {
    "string": T.StringType(),
    "int": T.IntegerType(),
    "bigint": T.LongType(),
    "double": T.DoubleType(),
    "boolean": T.BooleanType(),
    "date": T.DateType(),
    "timestamp": T.TimestampNTZType(),
    "decimal(8,3)": T.DecimalType(8, 3),
}
WRITTEN = {**tables.STAGING, "delivery": tables.DELIVERY, "rejection": tables.REJECTION}


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
    assert [(column["name"], SPARK_TYPE_OF[column["data_type"]]) for column in columns] == [
        (field.name, field.dataType) for field in WRITTEN[table].fields
    ]


@pytest.mark.parametrize("table", WRITTEN)
def test_every_table_is_partitioned_by_insert_date_alone(manifest, table):
    external = declared(manifest)[table]["external"]
    assert [(column["name"], column["data_type"]) for column in external["partitions"]] == [
        ("insert_date", "date")
    ]
    assert external["file_format"] == "parquet"


def test_the_export_writes_the_declared_types():
    assert export_purchases._arrow_schema(tables.USER_PURCHASE) == pa.schema(
        [
            ("invoice_number", pa.string()),
            ("stock_code", pa.string()),
            ("detail", pa.string()),
            ("quantity", pa.int32()),
            ("invoice_date", pa.timestamp("us")),
            ("unit_price", pa.decimal128(8, 3)),
            ("customer_id", pa.int32()),
            ("country", pa.string()),
        ]
    )
