"""Applies terraform/aws through the real provider to AWS's stand-in on loopback (fake_aws.py), and destroys it again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3

from demo.ports import free_port
from terraform.tests.cli import TREE, terraform
from terraform.tests.stack import Stack

REGION = "eu-west-1"
STATE_BUCKET = "movie-analytics-state"
STATE_KEY = "aws/test/terraform.tfstate"
SERVICES = (
    "budgets", "ec2", "ecr", "eks", "emr", "emrserverless", "glue", "iam", "kms", "logs", "rds", "redshift",
    "redshiftserverless", "s3", "secretsmanager", "sts",
)  # fmt: skip
# As in contract.tftest.hcl; a trial stack, or it could not be destroyed.
VARIABLES = {
    "environment": "test",
    "region": REGION,
    "budget_monthly_usd": 300,
    "alert_email": "data@example.com",
    "start_date": "2021-01-01",
    "ephemeral": True,
    "cluster_administrators": [
        "arn:aws:iam::123456789012:role/deploy",
        "arn:aws:iam::123456789012:user/ann",
    ],
}


class Applied(Stack):
    """The state after an apply, and what there really is."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.folder, self.endpoint = folder, endpoint
        super().__init__(json.loads(self._terraform("show", "-json"))["values"])

    def client(self, service: str) -> Any:
        return client(service, self.endpoint)

    def state(self) -> str:
        """The file, as it is in the bucket."""
        stored: bytes = self.client("s3").get_object(Bucket=STATE_BUCKET, Key=STATE_KEY)["Body"].read()
        return stored.decode()

    def planned_changes(self, *arguments: str) -> dict[str, Any]:
        """What another apply would change: address -> actions, and attribute -> before and after."""
        self._terraform("plan", "-input=false", "-no-color", "-out=second.tfplan", *arguments)
        plan = json.loads(self._terraform("show", "-json", "second.tfplan"))
        changes = {
            one["address"]: one["change"]
            for one in plan.get("resource_changes", [])
            if one["mode"] == "managed" and one["change"]["actions"] != ["no-op"]
        }
        return {address: _differences(change) for address, change in changes.items()}

    def apply(self) -> str:
        """Again; what Terraform says."""
        return self._terraform("apply", "-auto-approve", "-input=false", "-no-color")

    def destroy(self) -> None:
        self._terraform("destroy", "-auto-approve", "-input=false", "-no-color")

    def _terraform(self, *arguments: str) -> str:
        return run(self.folder, *arguments)


def _differences(change: dict[str, Any]) -> dict[str, Any]:
    before, after = change["before"] or {}, change["after"] or {}
    return {"actions": change["actions"]} | {
        name: [before.get(name), after.get(name)]
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


@contextmanager
def applied(initialised: Path, variables: dict[str, Any]) -> Iterator[Applied]:
    """Apply with these variables. `initialised` is a copy of the tree, of which another copy is made."""
    copy = initialised.parent.with_name(f"emulator-{variables.get('spark_mode', 'serverless')}")
    shutil.copytree(TREE, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "__pycache__"))
    folder = copy / "aws"
    (folder / "terraform.tfvars.json").write_text(json.dumps(VARIABLES | variables))
    with fake_aws(copy / "fake_aws.log") as endpoint:
        client("s3", endpoint).create_bucket(
            Bucket=STATE_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        (folder / "emulator_override.tf").write_text(provider(endpoint))
        (folder / "emulator.s3.tfbackend").write_text(backend(endpoint))
        run(folder, "init", "-backend-config=emulator.s3.tfbackend", "-input=false", "-no-color")
        run(folder, "apply", "-auto-approve", "-input=false", "-no-color")
        yield Applied(folder, endpoint)


@contextmanager
def fake_aws(log: Path) -> Iterator[str]:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "terraform.tests.fake_aws", str(port)],
            cwd=TREE.parent, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        for _ in range(120):
            assert server.poll() is None, log.read_text()
            try:
                urlopen(f"{endpoint}/moto-api/", timeout=5).close()
                break
            except URLError:
                time.sleep(0.5)
        yield endpoint
    finally:
        server.terminate()
        server.wait(10)


def provider(endpoint: str) -> str:
    """Overrides parts of providers.tf. A call that the stand-in lacks is a 500, which is not worth 25 tries."""
    endpoints = "\n".join(f'    {service} = "{endpoint}"' for service in SERVICES)
    return f"""
provider "aws" {{
  access_key        = "testing"
  secret_key        = "testing"
  s3_use_path_style = true
  max_retries       = 3

  endpoints {{
{endpoints}
  }}
}}
"""


def backend(endpoint: str) -> str:
    return f"""
bucket                      = "{STATE_BUCKET}"
key                         = "{STATE_KEY}"
region                      = "{REGION}"
access_key                  = "testing"
secret_key                  = "testing"
endpoints                   = {{ s3 = "{endpoint}", sts = "{endpoint}", iam = "{endpoint}" }}
use_path_style              = true
skip_metadata_api_check     = true
"""


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def run(folder: Path, *arguments: str) -> str:
    done = terraform(folder, *arguments)
    assert done.returncode == 0, f"terraform {arguments[0]}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    return done.stdout
