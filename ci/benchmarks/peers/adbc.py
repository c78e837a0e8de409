"""The shortest way from a table to a Parquet file: `python -m ci.benchmarks.peers.adbc DSN OUT`."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow.parquet as pq
from adbc_driver_postgresql import dbapi


def main(dsn: str, out: str) -> None:
    Path(out).mkdir(parents=True)
    with dbapi.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("select * from user_purchase")
        batches = cursor.fetch_record_batch()
        with pq.ParquetWriter(f"{out}/rows.parquet", batches.schema) as writer:
            for batch in batches:
                writer.write_batch(batch)


if __name__ == "__main__":
    main(*sys.argv[1:])
