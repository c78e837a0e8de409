"""Parses the DAG files, once for each SPARK_RUNTIME that it is given, and prints what came of it as JSON.

What the environment says is read at import, hence a process for each runtime; Airflow and Cosmos are imported once, before
these are forked. What parsing must not do is written down: look up a variable or a connection, start a process, open a
connection.
"""

import json
import multiprocessing
import os
import sys
from importlib import import_module
from pathlib import Path

from airflow.secrets import BaseSecretsBackend

done: list[str] = []


class Recording(BaseSecretsBackend):
    """A secrets backend that has nothing and writes down what it was asked for."""

    def get_variable(self, key, *args, **kwargs):
        done.append(f"variable {key}")

    def get_conn_value(self, conn_id, *args, **kwargs):
        done.append(f"connection {conn_id}")


def main() -> None:
    for module in ("airflow.dag_processing.dagbag", "cosmos.airflow.task_group"):
        import_module(module)
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        print(json.dumps(dict(zip(sys.argv[1:], pool.map(parse, sys.argv[1:], chunksize=1), strict=True))))


def parse(runtime: str) -> dict:
    os.environ["SPARK_RUNTIME"] = runtime
    from airflow.dag_processing.dagbag import DagBag

    sys.addaudithook(note)
    bags = [DagBag(file) for file in Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).glob("*.py")]
    return {
        "errors": [bag.import_errors for bag in bags if bag.import_errors],
        "done": done,
        "tasks": {dag.dag_id: sorted(dag.task_dict) for bag in bags for dag in bag.dags.values()},
    }


def note(event: str, arguments: tuple) -> None:
    if event in ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.system", "socket.connect"):
        done.append(f"{event} {arguments}")
