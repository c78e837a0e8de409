"""COSTS.md says what the resources of the plans cost, and each resource has a price or is known to be free."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from terraform import costs
from terraform.tests.cli import CLOUDS, TREE
from terraform.tests.stack import Mocked

# The mocked runs, as COSTS.md calls them.
STACKS = {
    "aws": {
        "small, serverless": "serverless",
        "small, cluster, provisioned": "cluster_and_provisioned",
        "large, Glue": "glue_and_large",
    },
    "gcp": {"small, serverless": "serverless", "large, cluster, provisioned": "cluster_and_provisioned"},
}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_tables_are_computed_from_the_plans(cloud: str, mocked: Mocked) -> None:
    stacks = {
        name: costs.quantities(mocked(cloud)[run].stack.resources) for name, run in STACKS[cloud].items()
    }
    table = costs.table(cloud, stacks)
    assert table in (TREE / "COSTS.md").read_text(), f"put this into COSTS.md:\n{table}"


def test_the_sum_of_the_smallest_stack_by_hand(mocked: Mocked) -> None:
    """EKS 73, nodes and disks 129.47, NAT and address 36.5, databases 27.96, Redshift 45, Spark 4.85, 3 keys, 13 secrets, logs, lake."""
    table = costs.table("aws", {"x": costs.quantities(mocked("aws")["serverless"].stack.resources)})
    by_hand = 73 + 129.47 + 36.5 + 27.96 + 45 + 4.85 + 3 + 5.2 + 10 + 1.15
    assert f"**{by_hand:.0f}**" in table
    assert f"| when nothing runs | | {by_hand - 45 - 4.85:.0f} |" in table


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_a_million_reviews_add_is_computed_from_the_benchmark(cloud: str) -> None:
    table = costs.million_reviews(cloud)
    assert table in (TREE / "COSTS.md").read_text(), f"put this into COSTS.md:\n{table}"


def test_a_million_reviews_by_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Jobs of 60 and 30 s: with their starts 330 s of 8 vCPUs and 32 GB, of two DPUs or of 8 DCUs; the cluster 660 s; 2 GB."""
    section = "\n1,000,000 records in one file of {} MB, read.\n\n| way | wall s |\n| --- | --: |\n| this project | {} | 1 |\n"
    benchmark = (
        "## Reviews\n" + section.format("1,800", "60.0") + "\n## Logs\n" + section.format("200", "30.0")
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/benchmark.md").write_text(benchmark)
    (tmp_path / "terraform").mkdir()
    (tmp_path / "terraform/prices.csv").write_text((TREE / "prices.csv").read_text())
    monkeypatch.setattr(costs, "__file__", str(tmp_path / "terraform/costs.py"))
    hour = 330 / 3600
    aws, gcp = costs.million_reviews("aws"), costs.million_reviews("gcp")
    assert f"EMR Serverless | {hour * (8 * 0.042094 + 32 * 0.004628):.2f} |" in aws
    assert f"EMR on EC2 | {660 / 3600 * 3 * 0.204:.2f} |" in aws
    assert f"Glue | {hour * 2 * 0.308:.2f} |" in aws and "each month | 0.05 |" in aws
    assert f"Dataproc Serverless | {hour * 8 * 0.06:.2f} |" in gcp and "each month | 0.04 |" in gcp


def test_a_resource_that_nobody_priced_is_refused() -> None:
    with pytest.raises(ValueError, match=r"aws_msk_cluster: say in terraform/costs\.py"):
        costs.quantities([{"type": "aws_msk_cluster", "values": {}}])


def test_every_price_has_its_unit_region_date_and_source() -> None:
    with (TREE / "prices.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert float(row["usd"]) > 0 and row["unit"], row
        assert row["region"] == {"aws": "us-east-1", "gcp": "us-central1"}[row["cloud"]], row
        assert re.fullmatch(r"20\d\d-\d\d", row["read"]) and row["source"].startswith("https://"), row
    assert len({(row["cloud"], row["item"]) for row in rows}) == len(rows)


def test_the_pods_ask_for_what_is_charged() -> None:
    values = yaml.safe_load((TREE.parent / "airflow/helm/values.yaml").read_text())
    pods = [
        values[name]["resources"]["requests"]
        for name in ("apiServer", "scheduler", "dagProcessor", "triggerer")
    ]
    vcpu = sum(
        float(pod["cpu"].removesuffix("m")) / (1000 if pod["cpu"].endswith("m") else 1) for pod in pods
    )
    gib = sum(float(pod["memory"][:-2]) / (1024 if pod["memory"].endswith("Mi") else 1) for pod in pods)
    assert (vcpu, gib) == (costs.POD_VCPU, costs.POD_GIB)


def test_a_plan_on_standard_input_becomes_a_table() -> None:
    key = {"mode": "managed", "type": "aws_kms_key", "values": {}}
    plan = {"planned_values": {"root_module": {"child_modules": [{"resources": [key, key]}]}}}
    ran = subprocess.run(
        [sys.executable, "-S", "-m", "terraform.costs"], cwd=TREE.parent, input=json.dumps(plan), text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    assert "| KMS key | 1 per month | 2 |" in ran.stdout and "| **sum** | | **2** |" in ran.stdout
