"""The way from an empty account to a running pipeline, and back.

  bootstrap  make the bucket of Terraform's state, once for an account or project
  plan       show what a deployment would change
  deploy     platform, keys, image, Spark package, databases, Airflow, warehouse, smoke test, on a trial stack
             a day of sample data; repeatable
  destroy    take all of it down, if the environment is ephemeral

Needs terraform, docker, kubectl, helm, make and the cloud's command line (aws or gcloud), logged in; on Google Cloud curl,
too. Each command is printed before it runs: + a command, ? a question whose answer decides about the commands after it,
< what is given to a command on its standard input. <name> is a value that is known only when the steps before
have run, most of them outputs of Terraform. No password is an argument of a command, in its environment, or printed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from terraform.deploy import aws, commands, gcp
from terraform.deploy.commands import Cloud
from terraform.deploy.environment import Environment
from terraform.deploy.steps import Steps, dry_run, run
from terraform.deploy.values import DeployError, new_secrets

COMMANDS = ("bootstrap", "plan", "deploy", "destroy")
CLOUDS: dict[str, Cloud] = {"aws": aws, "gcp": gcp}


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    try:
        cloud = CLOUDS[given.cloud]
        environment = Environment(given.cloud, given.environment, cloud.BACKEND_KIND)
        steps = steps_of(given.command, cloud, environment, "-auto-approve" if given.yes else "")
        if given.dry_run:
            dry_run(steps)
            return 0
        # The user's own configuration of kubectl stays as it is.
        with tempfile.TemporaryDirectory() as folder:
            settings = {
                "AWS_REGION": environment.setting("region"),
                "AWS_PAGER": "",
                "KUBECONFIG": str(Path(folder, "kubeconfig")),
            }
            run(steps, new_secrets(), os.environ | settings)
    except DeployError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m terraform.deploy",
        usage="python3 -m terraform.deploy [--dry-run] [--yes] COMMAND CLOUD ENVIRONMENT",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", metavar="COMMAND", choices=COMMANDS, help="one of the four above")
    parser.add_argument("cloud", metavar="CLOUD", choices=list(CLOUDS), help=" or ".join(CLOUDS))
    parser.add_argument("environment", metavar="ENVIRONMENT", help="of CLOUD/environments/ENVIRONMENT.tfvars")
    parser.add_argument("--dry-run", action="store_true", help="print every command and run none")
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing: for CI, after someone has read the plan"
    )
    return parser.parse_args(arguments)


def steps_of(command: str, cloud: Cloud, environment: Environment, approve: str) -> Steps:
    match command:
        case "bootstrap":
            return cloud.bootstrap(environment)
        case "plan":
            return commands.plan(environment)
        case "deploy":
            return commands.deploy(cloud, environment, approve)
        case _:
            return commands.destroy(cloud, environment, approve)


if __name__ == "__main__":
    sys.exit(main())
