"""The columns and types of every file that this package writes; the same as in dbt's source YAML (a test compares).

insert_date is in no schema: it is the partition, and appears only in the path.
"""

from __future__ import annotations

from pyspark.sql import types as T

STRING, INT, DOUBLE, DATE = T.StringType(), T.IntegerType(), T.DoubleType(), T.DateType()

USER_PURCHASE = (
    T.StructType()
    .add("invoice_number", STRING)
    .add("stock_code", STRING)
    .add("detail", STRING)
    .add("quantity", INT)
    .add("invoice_date", T.TimestampNTZType())
    .add("unit_price", T.DecimalType(8, 3))
    .add("customer_id", INT)
    .add("country", STRING)
)

CLASSIFIED_MOVIE_REVIEW = (
    T.StructType()
    .add("review_id", INT)
    .add("customer_id", INT)
    .add("positive_review", INT)
    .add("classifier", STRING)
    .add("classifier_version", STRING)
    .add("classifier_score", DOUBLE)
)

REVIEW_LOGS = (
    T.StructType()
    .add("log_id", INT)
    .add("log_date", DATE)
    .add("device", STRING)
    .add("os", STRING)
    .add("location", STRING)
    .add("browser", STRING)
    .add("ip", STRING)
    .add("phone_number", STRING)
    .add("pseudonym_key_version", STRING)
)

STAGING = {
    "user_purchase": USER_PURCHASE,
    "classified_movie_review": CLASSIFIED_MOVIE_REVIEW,
    "review_logs": REVIEW_LOGS,
}

# One row a day and staging table. delivered_records is what the reader found, staged or not; of the shop's table, what a
# count in the database gave.
DELIVERY = (
    T.StructType()
    .add("table_name", STRING)
    .add("is_delivered", T.BooleanType())
    .add("file_count", INT)
    .add("delivered_records", T.LongType())
)

# One row a day, staging table and reason that occurred.
REJECTION = T.StructType().add("table_name", STRING).add("reason", STRING).add("records", T.LongType())

# raw_bytes is the record where it is no UTF-8, else NULL: raw_record then has U+FFFD for what cannot be read.
QUARANTINE = (
    T.StructType()
    .add("raw_record", STRING)
    .add("raw_bytes", T.BinaryType())
    .add("reason", STRING)
    .add("file", STRING)
    .add("record_id", STRING)
)
