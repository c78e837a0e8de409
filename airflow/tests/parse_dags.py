"""Parses the DAG files in a process of its own and prints what came of it as JSON: errors, seconds, DAGs.

What the environment says (SPARK_RUNTIME …) is read at import, hence a process for each setting. Any look at a variable
or a connection while parsing is a line in the file SECRETS_ASKED_FOR.
"""

import json
import os
import time
from pathlib import Path

from airflow.secrets import BaseSecretsBackend


class Recording(BaseSecretsBackend):
    """A secrets backend that has nothing and writes down what it was asked for."""

    def get_variable(self, key, *args, **kwargs):
        self._note(f"variable {key}")

    def get_conn_value(self, conn_id, *args, **kwargs):
        self._note(f"connection {conn_id}")

    def _note(self, what: str) -> None:
        with open(os.environ["SECRETS_ASKED_FOR"], "a") as file:
            print(what, file=file)


def main() -> None:
    from airflow.dag_processing.dagbag import DagBag

    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    files = sorted(folder.glob("*.py"))
    # The first time includes the imports.
    bags = {file.stem: [timed(lambda: DagBag(file)) for _ in range(3)] for file in files}  # noqa: B023
    print(
        json.dumps(
            {
                "errors": {
                    name: bag.import_errors for name, [*_, (bag, _)] in bags.items() if bag.import_errors
                },
                "seconds": {name: min(seconds for _, seconds in parsed[1:]) for name, parsed in bags.items()},
                "tasks": {
                    dag.dag_id: sorted(dag.task_dict)
                    for [*_, (bag, _)] in bags.values()
                    for dag in bag.dags.values()
                },
            }
        )
    )


def timed(parse):
    start = time.perf_counter()
    bag = parse()
    return bag, time.perf_counter() - start


if __name__ == "__main__":
    main()
