"""A table, view or external table of a BigQuery project. It goes by its flat name, `project.dataset.table`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from zetasql.wasi._pb2.zetasql.local_service.local_service_pb2 import TableData

from ci.stand_ins.bigquery.external_files import ExternalFiles
from ci.stand_ins.bigquery.values import Column


@dataclass(frozen=True)
class Table:
    name: str
    columns: Sequence[Column]
    # One of the three: the rows of a table, the query of a view with the tables it reads, the files of an external table.
    data: TableData | None = None
    query: str | None = None
    query_tables: frozenset[str] = frozenset()
    files: ExternalFiles | None = None
    description: str | None = None
    partition: dict | None = None
    cluster: Sequence[str] = ()
    created: float = field(default_factory=time.time)

    @property
    def kind(self) -> str:
        return "VIEW" if self.query is not None else "EXTERNAL" if self.files else "TABLE"

    @property
    def dataset(self) -> str:
        return self.name.split(".")[1]

    @property
    def id(self) -> str:
        return self.name.split(".")[2]

    @property
    def row_count(self) -> int:
        return len(self.data.row) if self.data else 0
