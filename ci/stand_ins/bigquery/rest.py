"""BigQuery's REST interface (v2) on loopback, as far as dbt-bigquery uses it through google-cloud-bigquery.

A job is done by the time its insertion is answered.
"""

import csv
import io
import json
import time
import uuid
from dataclasses import replace
from typing import Any

from ci.stand_ins.bigquery.errors import BigQueryError, not_emulated, not_found
from ci.stand_ins.bigquery.metadata_views import size_in_bytes
from ci.stand_ins.bigquery.statements import run_script
from ci.stand_ins.bigquery.table import Table
from ci.stand_ins.bigquery.values import Column, rest_field, rest_value, simple_type
from ci.stand_ins.bigquery.warehouse import Warehouse, rows_from_texts
from ci.stand_ins.bigquery.zetasql_engine import NamedType, Rows

# The results of queries are tables of this dataset, which no list shows.
RESULTS = "_results"


class RestInterface:
    # The address under which it is served; answers to uploads lead there.
    endpoint: str

    def __init__(self, warehouse: Warehouse, statements: list[str]):
        self.warehouse, self.statements = warehouse, statements
        self.jobs: dict[str, dict] = {}
        self.uploads: dict[str, dict] = {}

    def answer(self, method: str, path: str, parameters: dict[str, str], body: bytes) -> tuple[dict, dict]:
        """The answer to a request and its extra headers."""
        parts = path.strip("/").split("/")
        if parts[0] == "upload":
            return self.upload(method, parameters, body)
        if parts[:3] != ["bigquery", "v2", "projects"]:
            raise not_emulated(f"{method} {path}")
        project, *resource = parts[3:]
        if project != self.warehouse.project:
            raise BigQueryError(f"Not found: Project {project}", 404, "notFound")
        content = json.loads(body) if body else {}
        match method, resource:
            case "GET", ["datasets"]:
                return {"datasets": [self.dataset(name) for name in sorted(self.warehouse.datasets)]}, {}
            case "POST", ["datasets"]:
                return self.create_dataset(content), {}
            case "GET", ["datasets", dataset]:
                return self.dataset(dataset), {}
            case "DELETE", ["datasets", dataset]:
                self.warehouse.drop_dataset(dataset)
                return {}, {}
            case "GET", ["datasets", dataset, "tables"]:
                return {"tables": self.tables_of(dataset)}, {}
            case "GET", ["datasets", dataset, "routines"]:
                self.warehouse.require_dataset(dataset)
                return {}, {}
            case "GET", ["datasets", dataset, "routines", routine]:
                raise not_found("Routine", f"{project}:{dataset}.{routine}", self.warehouse.location)
            case "GET", ["datasets", dataset, "tables", table]:
                return self.table(self.flat(dataset, table)), {}
            case "DELETE", ["datasets", dataset, "tables", table]:
                del self.warehouse.tables[self.warehouse.table(self.flat(dataset, table)).name]
                return {}, {}
            case "PATCH", ["datasets", dataset, "tables", table]:
                return self.describe(self.flat(dataset, table), content), {}
            case "GET", ["datasets", dataset, "tables", table, "data"]:
                return self.page(self.flat(dataset, table), parameters), {}
            case "POST", ["jobs"]:
                return self.query(content), {}
            case "GET", ["jobs", job]:
                return self.job(job), {}
            case "GET", ["queries", job]:
                return self.query_results(job, parameters), {}
        raise not_emulated(f"{method} {path}")

    # Datasets and tables

    def flat(self, dataset: str, table: str) -> str:
        return f"{self.warehouse.project}.{dataset}.{table}"

    def dataset(self, name: str) -> dict:
        self.warehouse.require_dataset(name)
        reference = {"projectId": self.warehouse.project, "datasetId": name}
        return {
            "kind": "bigquery#dataset",
            "id": ":".join(reference.values()),
            "datasetReference": reference,
            "location": self.warehouse.location,
        }

    def create_dataset(self, content: dict) -> dict:
        name = content["datasetReference"]["datasetId"]
        if name in self.warehouse.datasets:
            raise BigQueryError(f"Already Exists: Dataset {self.warehouse.project}:{name}", 409, "duplicate")
        self.warehouse.datasets.add(name)
        return self.dataset(name)

    def tables_of(self, dataset: str) -> list[dict]:
        self.warehouse.require_dataset(dataset)
        tables = (table for table in self.warehouse.tables.values() if table.dataset == dataset)
        return [{"tableReference": _reference(table.name), "type": table.kind} for table in tables]

    def table(self, name: str) -> dict:
        table = self.warehouse.table(name)
        milliseconds = str(int(table.created * 1000))
        about = {
            "kind": "bigquery#table",
            "id": self.warehouse.spoken(name),
            "tableReference": _reference(name),
            "type": table.kind,
            "location": self.warehouse.location,
            "schema": {"fields": [rest_field(column) for column in table.columns]},
            "numRows": str(table.row_count),
            "numBytes": str(size_in_bytes(table)),
            "creationTime": milliseconds,
            "lastModifiedTime": milliseconds,
        }
        if table.description:
            about["description"] = table.description
        if table.partition:
            about["timePartitioning"] = table.partition
        if table.cluster:
            about["clustering"] = {"fields": table.cluster}
        if table.query is not None:
            about["view"] = {"query": table.query, "useLegacySql": False}
        if table.files:
            files: dict[str, Any] = {"sourceFormat": "PARQUET", "sourceUris": table.files.uris}
            about["externalDataConfiguration"] = files
            if table.files.partition_prefix:
                files["hivePartitioningOptions"] = {
                    "mode": "CUSTOM",
                    "sourceUriPrefix": table.files.partition_prefix,
                    "fields": [column.name for column in table.files.partition_columns],
                }
        return about

    def describe(self, name: str, content: dict) -> dict:
        """Set descriptions of a table, and descriptions and policy tags of its columns: dbt's persist_docs and update_columns."""
        table = self.warehouse.table(name)
        fields = {field["name"]: field for field in (content.get("schema") or {}).get("fields", [])}
        if fields.keys() - {column.name for column in table.columns}:
            raise not_emulated("adding columns to a table")
        columns = [
            replace(
                column,
                description=field.get("description", column.description),
                policy_tags=tuple(field.get("policyTags", {}).get("names", column.policy_tags)),
            )
            for column in table.columns
            for field in [fields.get(column.name, {})]
        ]
        description = content.get("description", table.description)
        self.warehouse.put(replace(table, columns=columns, description=description))
        return self.table(name)

    # Jobs

    def query(self, content: dict) -> dict:
        if "query" not in content["configuration"]:
            raise not_emulated(f"jobs of type {', '.join(content['configuration'])}")
        job_id = content["jobReference"].get("jobId") or uuid.uuid4().hex
        sql = content["configuration"]["query"]["query"]
        if content["configuration"].get("dryRun"):
            return self.dry_run(sql, content["configuration"])
        self.statements.append(sql)
        outcome = run_script(self.warehouse, sql)
        table = outcome.table
        if outcome.rows:
            table = self.flat(RESULTS, job_id.replace("-", "_"))
            columns = [Column(column.name, column.type) for column in outcome.rows.columns]
            self.warehouse.tables[table] = Table(table, columns, data=outcome.rows.data)
        if table:
            content["configuration"]["query"]["destinationTable"] = _reference(table)
        statistics = {"statementType": outcome.statement_type, "totalBytesBilled": "0", "cacheHit": False}
        if outcome.affected is not None:
            statistics["numDmlAffectedRows"] = str(outcome.affected)
        return self.done(job_id, content["configuration"], {"query": statistics})

    def dry_run(self, sql: str, configuration: dict) -> dict:
        """What a statement would do is checked by doing it, and undone."""
        datasets, tables = set(self.warehouse.datasets), dict(self.warehouse.tables)
        try:
            outcome = run_script(self.warehouse, sql)
        finally:
            self.warehouse.datasets, self.warehouse.tables = datasets, tables
        return self.done(
            uuid.uuid4().hex, configuration, {"query": {"statementType": outcome.statement_type}}
        )

    def load(self, content: dict, data: bytes) -> dict:
        """Load a CSV file with a given schema into a new table, as dbt does with seeds."""
        load = content["configuration"]["load"]
        destination = load["destinationTable"]
        name = self.flat(destination["datasetId"], destination["tableId"])
        columns = [
            Column(field["name"], simple_type(field["type"].upper())) for field in load["schema"]["fields"]
        ]
        records = csv.reader(io.StringIO(data.decode()), delimiter=load.get("fieldDelimiter", ","))
        lines = list(records)[int(load.get("skipLeadingRows", 0)) :]
        texts = (
            [
                None if text == "" and _is_null_when_empty(c) else text
                for text, c in zip(line, columns, strict=True)
            ]
            for line in lines
        )
        as_texts = [NamedType(column.name, simple_type("STRING")) for column in columns]
        rows = Rows(as_texts, rows_from_texts(texts))
        self.warehouse.put(Table(name, columns, data=self.warehouse.converted(rows, columns).data))
        job_id = content["jobReference"].get("jobId") or uuid.uuid4().hex
        return self.done(job_id, content["configuration"], {"load": {"outputRows": str(len(lines))}})

    def upload(self, method: str, parameters: dict[str, str], body: bytes) -> tuple[dict, dict]:
        """A resumable upload: the first request tells what is to be done, the second brings the file."""
        if method == "PUT":
            return self.load(self.uploads.pop(parameters["upload_id"]), body), {}
        upload_id = uuid.uuid4().hex
        self.uploads[upload_id] = json.loads(body)
        return {}, {"Location": f"{self.endpoint}/upload/bigquery/v2/jobs?upload_id={upload_id}"}

    def done(self, job_id: str, configuration: dict, statistics: dict) -> dict:
        now = str(int(time.time() * 1000))
        project, location = self.warehouse.project, self.warehouse.location
        times = {"creationTime": now, "startTime": now, "endTime": now}
        amounts = {"totalBytesProcessed": "0", "totalSlotMs": "0"}
        self.jobs[job_id] = {
            "kind": "bigquery#job",
            "id": f"{project}:{location}.{job_id}",
            "jobReference": {"projectId": project, "jobId": job_id, "location": location},
            "configuration": configuration,
            "status": {"state": "DONE"},
            "statistics": {**times, **amounts, **statistics},
        }
        return self.jobs[job_id]

    def job(self, job_id: str) -> dict:
        if job_id not in self.jobs:
            raise not_found("Job", f"{self.warehouse.project}:{job_id}", self.warehouse.location)
        return self.jobs[job_id]

    def query_results(self, job_id: str, parameters: dict[str, str]) -> dict:
        job = self.job(job_id)
        results = {"jobReference": job["jobReference"], "jobComplete": True, "totalBytesProcessed": "0"}
        destination = job["configuration"]["query"].get("destinationTable", {})
        if destination.get("datasetId") == RESULTS:
            name = self.flat(RESULTS, destination["tableId"])
            # Without rows asked for, the client reads them from the table.
            page = self.page(name, parameters) if parameters.get("maxResults") != "0" else {}
            return {
                **results,
                **page,
                "schema": self.table(name)["schema"],
                "totalRows": self.table(name)["numRows"],
            }
        # Nothing else has a row count, or the client would ask for rows.
        affected = job["statistics"]["query"].get("numDmlAffectedRows")
        return results | ({"numDmlAffectedRows": affected} if affected else {})

    def page(self, name: str, parameters: dict[str, str]) -> dict:
        table = self.warehouse.table(name)
        rows = self.warehouse.rows(name).data.row
        start = int(parameters.get("startIndex", 0))
        stop = start + int(parameters.get("maxResults", len(rows)))
        types = [column.type for column in table.columns]
        page = [
            {"f": [{"v": rest_value(cell, type_)} for cell, type_ in zip(row.cell, types, strict=True)]}
            for row in rows[start:stop]
        ]
        return {"kind": "bigquery#tableDataList", "totalRows": str(len(rows)), "rows": page}


def _reference(name: str) -> dict:
    project, dataset, table = name.split(".")
    return {"projectId": project, "datasetId": dataset, "tableId": table}


def _is_null_when_empty(column: Column) -> bool:
    return column.sql_type not in ("STRING", "BYTES")
