"""Changes the platform with Terraform: plan, a person's approval, and then exactly that plan.

**When**: by hand only. The DAG is there when TERRAFORM_DIR names the stack's folder: on a machine with Terraform and the rights to
apply it, not in the Airflow that `make deploy` installs. Variables file and backend are given as Terraform
takes them: TF_CLI_ARGS_plan=-var-file=…, TF_CLI_ARGS_init=-backend-config=….

**What**: `plan` writes the plan to its log and keeps it in the artifacts bucket; a plan without changes ends the run.
`approve` shows it to a person (*Required Actions* in the menu) and waits for a day; no answer is a no. `apply` takes the
plan that was approved: another one, or one that the state has moved away from, is refused.

**When it fails**: a failed apply is never retried automatically, as it may have made half of its changes: read
its log, then trigger a new run, whose plan starts from what is there. All cases: `airflow/RUNBOOK.md`, section
*infrastructure*.
"""

import os
from datetime import timedelta

from airflow.sdk import dag

from pipeline.defaults import DEFAULTS
from pipeline.settings import START_DATE
from pipeline.terraform import Apply, Approval, Plan

TERRAFORM_DIR = os.environ.get("TERRAFORM_DIR", "")


@dag(
    schedule=None,
    start_date=START_DATE,
    catchup=False,
    # one at a time, and Terraform's lock of the state besides
    max_active_runs=1,
    default_args=DEFAULTS,
    doc_md=__doc__,
    tags=["movie-analytics", "infrastructure"],
)
def infrastructure() -> None:
    plan = Plan(task_id="plan", folder=TERRAFORM_DIR)
    approve = Approval(task_id="approve", response_timeout=timedelta(days=1))
    apply = Apply(task_id="apply", folder=TERRAFORM_DIR)

    plan >> approve >> apply


if TERRAFORM_DIR:
    infrastructure()
