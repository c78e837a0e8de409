"""What a stack costs in a month: the resources of its plan, times the list prices of prices.csv.

    terraform -chdir=terraform/aws show -json PLAN | python3 -m terraform.costs

What depends on use, not on resources, is assumed: the constants below. A type of resource that has no rule and is not
on the list of those that cost nothing is an error, so that no new one is forgotten.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

# Item of prices.csv -> how many of its units in a month.
Quantities: TypeAlias = dict[str, float]
Resource: TypeAlias = Mapping[str, Any]

HOURS = 730
# The assumed day: two Spark jobs of ten minutes each, half an hour of dbt, some 100 MB of vendor files. In a month:
SPARK_HOURS, WAREHOUSE_HOURS = 10, 15
LAKE_GB, LOGS_GB = 50, 20
# What the two Spark jobs take while they run; a cluster also takes time to start.
SPARK_VCPU, SPARK_GB, SPARK_DCU = 8, 32, 12
CLUSTER_MACHINES, CLUSTER_HOURS = 3, 15
# What Airflow's pods ask for (airflow/helm/values.yaml), which is what Autopilot charges.
POD_VCPU, POD_GIB = 1.6, 5.25
# Items that come with the work of the days; all others cost the same when nothing runs.
WORK = ("Redshift Serverless", "EMR", "Glue", "Dataproc")


def database(values: Resource) -> Quantities:
    machines = 2 if values["multi_az"] else 1
    return {
        f"database {values['instance_class']}": HOURS * machines,
        "storage of databases": values["allocated_storage"] * machines,
    }


def cloud_sql(values: Resource) -> Quantities:
    (settings,) = values["settings"]
    machines = 2 if settings["availability_type"] == "REGIONAL" else 1
    # Google's smallest disk; it grows as it fills.
    return {f"database {settings['tier']}": HOURS * machines, "storage of databases": 10 * machines}


def nodes(values: Resource) -> Quantities:
    (scaling,), (machine,) = values["scaling_config"], values["instance_types"]
    count = scaling["desired_size"]
    return {f"node {machine}": HOURS * count, "disk gp3 of the nodes": 50 * count}


RULES: dict[str, Callable[[Resource], Quantities]] = {
    "aws_eks_cluster": lambda _: {"EKS control plane": HOURS, "logs taken in": LOGS_GB},
    "aws_eks_node_group": nodes,
    "aws_nat_gateway": lambda _: {"NAT gateway": HOURS},
    "aws_eip": lambda _: {"public IPv4 address": HOURS},
    "aws_db_instance": database,
    "aws_redshiftserverless_workgroup": lambda values: {
        "Redshift Serverless": values["base_capacity"] * WAREHOUSE_HOURS
    },
    "aws_redshift_cluster": lambda values: {
        f"Redshift {values['node_type']}": HOURS * values["number_of_nodes"]
    },
    "aws_emrserverless_application": lambda _: {
        "EMR Serverless vCPU (ARM64)": SPARK_VCPU * SPARK_HOURS,
        "EMR Serverless memory (ARM64)": SPARK_GB * SPARK_HOURS,
    },
    # The clusters themselves are Airflow's.
    "aws_emr_security_configuration": lambda _: {"EMR on EC2 m7g.xlarge": CLUSTER_MACHINES * CLUSTER_HOURS},
    "aws_glue_job": lambda values: {f"Glue {values['glue_version']}": values["number_of_workers"] * SPARK_HOURS},
    "aws_kms_key": lambda _: {"KMS key": 1},
    "aws_secretsmanager_secret": lambda _: {"secret": 1},
    # One of the four buckets stands for the lake.
    "aws_s3_bucket": lambda values: {"S3": LAKE_GB if "-staging-" in values["bucket"] else 0},
    "google_container_cluster": lambda _: {
        "GKE cluster": HOURS, "vCPU of pods": POD_VCPU * HOURS, "memory of pods": POD_GIB * HOURS,
    },
    "google_sql_database_instance": cloud_sql,
    "google_compute_router_nat": lambda _: {"Cloud NAT and its address": HOURS},
    "google_bigquery_reservation": lambda values: {
        "BigQuery slot (Enterprise)": values["slot_capacity"] * HOURS
    },
    # Batches, or the machines of a cluster, which come to about the same.
    "google_service_account": lambda values: {
        "Dataproc Serverless": SPARK_DCU * SPARK_HOURS if values["account_id"].endswith("-spark") else 0
    },
    "google_kms_crypto_key": lambda _: {"KMS key version": 1},
    "google_secret_manager_secret": lambda _: {"secret version": 1},
    "google_storage_bucket": lambda values: {"Cloud Storage": LAKE_GB if "-staging-" in values["name"] else 0},
}  # fmt: skip

# Access, networks, names, and what belongs to a resource above.
FREE = re.compile(
    r"aws_(budgets|iam|kms_alias|s3_bucket_|cloudwatch_log_group|default_security_group|flow_log|internet_gateway|route"
    r"|subnet|vpc|db_(parameter|subnet)_group|ecr|eks_access|launch_template|secretsmanager_secret_|security_group"
    r"|redshiftserverless_(namespace|usage_limit)|redshift_(logging|parameter|subnet)|glue_(catalog|security))"
    r"|google_(billing|monitoring|project|service_account_|kms_(crypto_key_|key_ring)|storage_bucket_"
    r"|compute_(firewall|global|network|router$|subnet)|service_networking|artifact|secret_manager_secret_|sql_(database$|user)"
    r"|bigquery_(dataset|reservation_)|data_catalog)"
)


def quantities(resources: Iterable[Resource]) -> Quantities:
    """Of the resources of a state or a plan, each with `type` and `values`. Raises ValueError for a type without a rule."""
    found: Counter[str] = Counter()
    for resource in resources:
        if rule := RULES.get(resource["type"]):
            for item, quantity in rule(resource["values"]).items():
                found[item] += quantity  # type: ignore[assignment]  # a Counter adds fractions, too
        elif not FREE.match(resource["type"]):
            raise ValueError(
                f"{resource['type']}: say in terraform/costs.py what it costs, or that it is free"
            )
    return {item: float(quantity) for item, quantity in found.items() if quantity}


def prices(cloud: str) -> dict[str, tuple[float, str]]:
    """Item -> US dollars and unit."""
    with Path(__file__).with_name("prices.csv").open() as file:
        return {
            row["item"]: (float(row["usd"]), row["unit"])
            for row in csv.DictReader(file)
            if row["cloud"] == cloud
        }


def table(cloud: str, stacks: Mapping[str, Quantities]) -> str:
    """Markdown: a row for each item in the order of prices.csv, US dollars a month for each stack."""
    lines = [f"| {cloud.upper()} | USD | {' | '.join(stacks)} |", "|---|---|" + "---:|" * len(stacks)]
    sums, work = dict.fromkeys(stacks, 0.0), dict.fromkeys(stacks, 0.0)
    for item, (usd, unit) in prices(cloud).items():
        cells = []
        for name, found in stacks.items():
            cost = usd * found.get(item, 0)
            sums[name] += cost
            work[name] += cost if item.startswith(WORK) else 0
            cells.append(f"{cost:.0f}" if item in found else "")
        if any(cells):
            lines.append(f"| {item} | {usd:g} per {unit} | {' | '.join(cells)} |")
    lines.append(f"| **sum** | | {' | '.join(f'**{sums[name]:.0f}**' for name in stacks)} |")
    lines.append(
        f"| when nothing runs | | {' | '.join(f'{sums[name] - work[name]:.0f}' for name in stacks)} |"
    )
    return "\n".join(lines)


# A day of a million reviews and as many logs. Each job has a driver and a worker of 4 vCPUs, or two workers of Glue, and takes two
# minutes until it works, on a cluster of three machines ten.
JOB_VCPU, GB_PER_VCPU, START_SECONDS, CLUSTER_START_SECONDS = 8, 4, 120, 600
# A unit of Dataproc is 0.6 of a vCPU and 0.1 of each GB.
DCU_PER_VCPU = 0.6 + 0.1 * GB_PER_VCPU


def million_reviews(cloud: str) -> str:
    """Markdown: what the two Spark jobs and the storage of such a day cost. Seconds and sizes are those of docs/benchmark.md."""
    measured = re.findall(
        r"^## (?:Reviews|Logs)\n\n1,000,000 records in one file of ([\d,]+) MB.*?^\| this project \| ([\d.]+) \|",
        (Path(__file__).parents[1] / "docs/benchmark.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    (reviews_mb, reviews_seconds), (logs_mb, logs_seconds) = measured
    working = float(reviews_seconds) + float(logs_seconds)
    hours = (2 * START_SECONDS + working) / 3600
    cluster_hours = (CLUSTER_START_SECONDS + max(float(reviews_seconds), float(logs_seconds))) / 3600
    gigabytes = (float(reviews_mb.replace(",", "")) + float(logs_mb.replace(",", ""))) / 1000
    usd = {item: price for item, (price, _) in prices(cloud).items()}
    costs: dict[str, float]
    if cloud == "aws":
        vcpu = usd["EMR Serverless vCPU (ARM64)"] + GB_PER_VCPU * usd["EMR Serverless memory (ARM64)"]
        costs = {
            "Spark on EMR Serverless": hours * JOB_VCPU * vcpu,
            "Spark on EMR on EC2": cluster_hours * CLUSTER_MACHINES * usd["EMR on EC2 m7g.xlarge"],
            "Spark on Glue": hours * 2 * usd["Glue 6.0"],
            "its feeds in S3, each month": gigabytes * usd["S3"],
        }
    else:
        costs = {
            "Spark on Dataproc Serverless": hours * JOB_VCPU * DCU_PER_VCPU * usd["Dataproc Serverless"],
            "its feeds in Cloud Storage, each month": gigabytes * usd["Cloud Storage"],
        }
    lines = [f"| {cloud.upper()}, a day of 1,000,000 reviews and as many logs | USD |", "|---|---:|"]
    return "\n".join([*lines, *(f"| {name} | {cost:.2f} |" for name, cost in costs.items())])


def main() -> None:
    plan = json.load(sys.stdin)
    resources = list(_resources(plan.get("planned_values", plan.get("values"))["root_module"]))
    cloud = "gcp" if any(resource["type"].startswith("google_") for resource in resources) else "aws"
    print(table(cloud, {"this stack": quantities(resources)}))


def _resources(module: Mapping[str, Any]) -> Iterable[Resource]:
    yield from (resource for resource in module.get("resources", []) if resource["mode"] == "managed")
    for child in module.get("child_modules", []):
        yield from _resources(child)


if __name__ == "__main__":
    main()
