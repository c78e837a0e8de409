"""How many partitions a statement changes, and the limits on that (https://docs.cloud.google.com/bigquery/quotas#partitioned_tables).

A job changes at most 4,000 partitions of a table. A table that is overwritten again and again may have 30,000 changes a day; DML counts, but
is never refused for it. Here a day is the life of the stand-in.
"""

import datetime
from collections import Counter, defaultdict

from zetasql.wasi._pb2.zetasql.local_service.local_service_pb2 import TableData

from ci.stand_ins.bigquery.errors import BigQueryError
from ci.stand_ins.bigquery.table import Table

MOST_OF_A_JOB = 4_000
MOST_OF_A_DAY = 30_000
EPOCH = datetime.date(1970, 1, 1)


class PartitionQuota:
    """Counts the changes of each table."""

    def __init__(self) -> None:
        self.changes: Counter[str] = Counter()

    def count(self, table: Table, data: TableData, *, is_overwritten: bool) -> None:
        """Raises a BigQueryError if so many partitions may not change when `data` takes the place of the table's rows."""
        if not table.partition:
            return
        before, after = _rows_by_partition(table, table.data), _rows_by_partition(table, data)
        changed = sum(before.get(key) != after.get(key) for key in before.keys() | after.keys())
        if changed > MOST_OF_A_JOB:
            raise BigQueryError(
                f"Too many partitions produced by query, allowed {MOST_OF_A_JOB}, query produces at least {changed} partitions"
            )
        self.changes[table.name] += changed
        if is_overwritten and self.changes[table.name] > MOST_OF_A_DAY:
            raise BigQueryError(
                "Quota exceeded: Your table exceeded quota for Number of partition modifications to a column partitioned table",
                403,
                "quotaExceeded",
            )


def _rows_by_partition(table: Table, data: TableData | None) -> dict[str, Counter[bytes]]:
    assert table.partition
    place = [column.name.lower() for column in table.columns].index(table.partition["field"].lower())
    letters = {"MONTH": 7, "YEAR": 4}.get(table.partition["type"], 10)
    rows: dict[str, Counter[bytes]] = defaultdict(Counter)
    for row in data.row if data else ():
        cell = row.cell[place]
        is_date = cell.WhichOneof("value") == "date_value"
        day = str(EPOCH + datetime.timedelta(days=cell.date_value)) if is_date else str(cell)
        rows[day[:letters] if is_date else day][row.SerializeToString()] += 1
    return rows
