"""The Spark session: as the cluster was configured, or a quiet local one when started by plain Python."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession

LOG4J = Path(__file__).with_name("log4j2.properties")
# Spark's launcher turns this module on, and Java cannot be told to keep quiet about it.
JAVA_NOTICE = b"WARNING: Using incubator modules: jdk.incubator.vector\n"


def start_spark(name: str, local_memory: int = 2 << 30) -> SparkSession:
    """Start (or join) a session in UTC that writes Parquet timestamps as microseconds. On a cluster its own settings say how much memory it
    has; started by plain Python it has `local_memory`, in bytes."""
    builder = (
        SparkSession.builder.appName(name)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    )
    # spark-submit has started the JVM and hands its port to Python
    if "PYSPARK_GATEWAY_PORT" in os.environ or SparkContext._gateway is not None:
        return builder.getOrCreate()
    with _without_java_notice():
        return _local(builder, local_memory).getOrCreate()


def _local(builder: SparkSession.Builder, memory: int) -> SparkSession.Builder:
    # workers run the driver's Python, whatever python3 is on the PATH
    os.environ["PYSPARK_PYTHON"] = sys.executable
    return (
        builder.master("local[*]")
        .config("spark.driver.memory", f"{memory >> 20}m")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={LOG4J.as_uri()}")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
        .config("spark.sql.shuffle.partitions", "4")
    )


@contextmanager
def _without_java_notice() -> Iterator[None]:
    """Let a JVM that is started within write to the console, but for JAVA_NOTICE."""
    console = os.dup(2)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)
    threading.Thread(target=_forward, args=(reading, console), daemon=True).start()
    try:
        yield
    finally:
        os.dup2(console, 2)


def _forward(reading: int, console: int) -> None:
    while output := os.read(reading, 65536):
        os.write(console, output.replace(JAVA_NOTICE, b""))
