"""The columns and types of every file that this package writes; the same as in dbt's source YAML (a test compares).

insert_date and run are in no schema: they are partitions, and appear only in the path.
"""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

USER_PURCHASE = pa.schema(
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

CLASSIFIED_MOVIE_REVIEW = pa.schema(
    [
        ("review_id", pa.int32()),
        ("customer_id", pa.int32()),
        ("positive_review", pa.int32()),
        ("classifier", pa.string()),
        ("classifier_version", pa.string()),
        ("classifier_score", pa.float64()),
        ("unknown_ngram_share", pa.float64()),
    ]
)

# What further classifiers say of the same reviews (OTHER_CLASSIFIERS): a row for each review and classifier.
OTHER_CLASSIFICATION = CLASSIFIED_MOVIE_REVIEW

REVIEW_LOGS = pa.schema(
    [
        ("log_id", pa.int32()),
        ("log_date", pa.date32()),
        ("device", pa.string()),
        ("os", pa.string()),
        ("location", pa.string()),
        ("browser", pa.string()),
        ("ip", pa.string()),
        ("phone_number", pa.string()),
        ("pseudonym_key_version", pa.string()),
    ]
)

STAGING = {
    "user_purchase": USER_PURCHASE,
    "classified_movie_review": CLASSIFIED_MOVIE_REVIEW,
    "review_logs": REVIEW_LOGS,
}

# Written by the tasks of another table, on days on which it is asked for. It has delivery rows as the others, but no records of its own:
# no quarantine, and no place in the ledger.
OPTIONAL = {"other_classification": OTHER_CLASSIFICATION}

# One row a day and staging table. `run` names the folders with the day's files, and is NULL when nothing was delivered.
# delivered_records is what the reader found, staged or not; of the shop's table, what a count in the database gave.
DELIVERY = pa.schema(
    [
        ("table_name", pa.string()),
        ("run", pa.string()),
        ("is_delivered", pa.bool_()),
        ("file_count", pa.int32()),
        ("delivered_records", pa.int64()),
    ]
)

# One row a day, staging table and reason that occurred.
REJECTION = pa.schema([("table_name", pa.string()), ("reason", pa.string()), ("records", pa.int64())])

# The reason of records that were left out or removed since their customer was erased. Of them there is this count and no record.
ERASED = "erased on request"

# One row a staging table of a day that may go to the warehouse: the run that was checked, and if the check had refused it, who accepted
# it and why. Read by Airflow, not by dbt.
STAGED = pa.schema(
    [
        ("table_name", pa.string()),
        ("run", pa.string()),
        ("accepted_by", pa.string()),
        ("accepted_because", pa.string()),
    ]
)

# raw_bytes is the record where it is no UTF-8, else NULL: raw_record then has U+FFFD for what cannot be read. `fields` is how the file's
# records are made up, as `cid,review_str,,id_review` (a column that the feed does not know has no name); NULL where nobody knows.
QUARANTINE = pa.schema(
    [
        ("raw_record", pa.string()),
        ("raw_bytes", pa.binary()),
        ("reason", pa.string()),
        ("file", pa.string()),
        ("record_id", pa.string()),
        ("fields", pa.string()),
    ]
)

# What a column holds that leads to a person.
CUSTOMER, REVIEW = PERSON_KINDS = ("customer", "review")


class Person(NamedTuple):
    """The column of a staging table that says whose a record is: a customer's id, or that of one of their reviews."""

    column: str
    kind: str


# What is erased with a customer (spark_prep/erasure): the rows of these tables, and what quarantine has of them. The warehouse's tables
# are declared in dbt's YAML (meta: personal_data, holds). A test looks for tables that are declared in neither.
PERSON = {
    "user_purchase": Person("customer_id", CUSTOMER),
    "classified_movie_review": Person("customer_id", CUSTOMER),
    "other_classification": Person("customer_id", CUSTOMER),
    "review_logs": Person("log_id", REVIEW),
}

# Who was erased, by digests; see spark_prep/erasure/suppression.py.
SUPPRESSION = pa.schema([("kind", pa.string()), ("value", pa.string())])
