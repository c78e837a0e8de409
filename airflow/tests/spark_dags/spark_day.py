"""The Spark tasks of a day, and the files they wait for, as a DAG run: `SPARK_RUNTIME=emr python spark_day.py`.

A process of its own because SPARK_RUNTIME is read when the DAG is parsed. Prints the states as one line of JSON.
"""

import json
from datetime import UTC, datetime

from airflow.sdk import dag

from pipeline.files import wait_for
from pipeline.settings import MACROS
from pipeline.spark import spark_cluster, spark_job


@dag(schedule=None, start_date=datetime(2021, 1, 1, tzinfo=UTC), user_defined_macros=MACROS)
def spark_day():
    files = [wait_for("movie_review"), wait_for("log_reviews")]
    jobs = [spark_job("classify_reviews"), spark_job("parse_logs")]
    files[0] >> jobs[0]
    files[1] >> jobs[1]
    if cluster := spark_cluster():
        start, stop = cluster
        files >> start >> jobs >> stop


day = spark_day()

if __name__ == "__main__":
    run = day.test(logical_date=datetime(2021, 1, 31, tzinfo=UTC))
    states = {task.task_id: task.state for task in run.get_task_instances()}
    print(json.dumps({"run": run.state, **states}))
