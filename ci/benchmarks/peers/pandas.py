"""pandas in chunks, by a cursor on the server: `python -m ci.benchmarks.peers.pandas DSN OUT`."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

CHUNK_ROWS = 100_000
SCHEMA = pa.schema(
    {
        "invoice_number": pa.string(),
        "stock_code": pa.string(),
        "detail": pa.string(),
        "quantity": pa.int32(),
        "invoice_date": pa.timestamp("us"),
        "unit_price": pa.decimal128(8, 3),
        "customer_id": pa.int32(),
        "country": pa.string(),
    }
)


def main(dsn: str, out: str) -> None:
    Path(out).mkdir(parents=True)
    with (
        psycopg.connect(dsn) as connection,
        connection.cursor("purchases") as cursor,
        pq.ParquetWriter(f"{out}/rows.parquet", SCHEMA) as writer,
    ):
        cursor.itersize = CHUNK_ROWS
        cursor.execute("select * from user_purchase")
        while rows := cursor.fetchmany(CHUNK_ROWS):
            # as they come: a customer_id that is missing must not make floats of the others
            chunk = pd.DataFrame(rows, columns=SCHEMA.names, dtype=object)
            writer.write_table(pa.Table.from_pandas(chunk, SCHEMA, preserve_index=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
