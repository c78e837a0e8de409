"""Where things are: local folders and object stores, through Hadoop's file systems."""

from __future__ import annotations

from py4j.java_gateway import JavaObject
from pyspark.sql import SparkSession

from spark_prep.settings import is_local


def hadoop_uri(location: str) -> str:
    """The location with its scheme, since a cluster's default file system is seldom the local one."""
    return f"file://{location}" if is_local(location) else location


def hadoop_fs(spark: SparkSession) -> JavaObject:
    """The Java package org.apache.hadoop.fs."""
    jvm: JavaObject = spark.sparkContext._jvm
    return jvm.org.apache.hadoop.fs


def hadoop_path(spark: SparkSession, location: str) -> tuple[JavaObject, JavaObject]:
    """The location's Hadoop FileSystem and Path."""
    path = hadoop_fs(spark).Path(hadoop_uri(location))
    return path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()), path


def exists(spark: SparkSession, location: str) -> bool:
    file_system, path = hadoop_path(spark, location)
    return bool(file_system.exists(path))


def list_files(spark: SparkSession, folder: str, suffix: str) -> list[str]:
    """The folder's files with this ending, as URIs in order; hidden ones left out, none when there is no folder."""
    file_system, path = hadoop_path(spark, folder)
    if not file_system.exists(path):
        return []
    files = [status.getPath() for status in file_system.listStatus(path) if status.isFile()]
    # as everywhere in Spark, a name that begins with _ or . is hidden
    return sorted(
        file.toString() for file in files if file.getName().endswith(suffix) and file.getName()[0] not in "_."
    )
