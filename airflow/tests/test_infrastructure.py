"""The tasks of `infrastructure` with the real terraform, on a stack of the built-in resource terraform_data. A person's
answer is given in test_scheduler.py."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from conftest import ROOT
from pipeline.terraform import Apply, Approval, Plan

pytestmark = pytest.mark.skipif(
    not shutil.which("terraform"), reason="there is no terraform: its tasks are not tested"
)

STACK = """
terraform {
  backend "local" {}
}

variable "size" {
  default = "small"
}

resource "terraform_data" "cluster" {
  input = var.size
}
"""


class TaskInstance(dict):
    """XComs by task and key, as the tasks see them."""

    def __init__(self, task_id):
        super().__init__()
        self.task_id = task_id

    def xcom_push(self, key, value):
        self[self.task_id, key] = value

    def xcom_pull(self, task_id, key="return_value"):
        return self.get((task_id, key))


@pytest.fixture
def stack(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "main.tf").write_text(STACK)
    monkeypatch.setenv("AIRFLOW_VAR_ARTIFACTS_URI", str(tmp_path / "artifacts"))
    return folder


def kept(stack) -> list[Path]:
    return list(stack.parent.glob("artifacts/infrastructure/*.tfplan"))


def plan(stack) -> dict:
    return Plan(task_id="plan", folder=str(stack)).execute({})


def approved(plan: dict) -> TaskInstance:
    """What the task `approve` leaves when the plan was shown and a person said yes."""
    ti = TaskInstance("approve")
    ti["approve", "shown"] = plan["sha256"]
    answer = {"chosen_options": ["Approve"], "params_input": {}, "responded_by_user": None}
    Approval(task_id="approve").execute_complete({"ti": ti}, {**answer, "responded_at": datetime.now(UTC)})
    return ti


def apply(stack, ti) -> None:
    Apply(task_id="apply", folder=str(stack)).execute({"ti": ti})


def size(stack) -> str:
    state = stack / "terraform.tfstate"
    if not state.exists():
        return "nothing"
    (cluster,) = json.loads(state.read_text())["resources"]
    return cluster["instances"][0]["attributes"]["input"]["value"]


def test_what_was_approved_is_applied_and_then_there_is_nothing_to_change(stack, monkeypatch):
    made = plan(stack)
    assert "# terraform_data.cluster will be created" in made["text"] and "small" in made["text"]
    assert [file.stem for file in kept(stack)] == [made["sha256"]]
    assert {file.name for file in stack.iterdir()} == {"main.tf"}
    # whatever the settings are by now: it is the plan that is applied
    monkeypatch.setenv("TF_VAR_size", "large")
    apply(stack, approved(made))
    assert size(stack) == "small"
    assert kept(stack) == []
    monkeypatch.delenv("TF_VAR_size")
    with pytest.raises(AirflowSkipException, match="nothing to change"):
        plan(stack)


def test_nothing_is_applied_that_nobody_approved(stack):
    made = plan(stack)
    ti = TaskInstance("approve")
    ti["approve", "shown"] = made["sha256"]
    # as when the task `approve` is marked as success by hand
    with pytest.raises(AirflowFailException, match="no one has approved this plan"):
        apply(stack, ti)
    assert size(stack) == "nothing"


def test_a_plan_made_after_the_approval_is_not_applied(stack, monkeypatch):
    ti = approved(plan(stack))
    monkeypatch.setenv("TF_VAR_size", "large")
    plan(stack)
    apply(stack, ti)
    assert size(stack) == "small"


def test_a_plan_that_was_changed_or_is_gone_is_refused(stack):
    for change in (lambda file: file.write_bytes(file.read_bytes() + b" "), Path.unlink):
        ti = approved(plan(stack))
        for file in kept(stack):
            change(file)
        with pytest.raises(AirflowFailException, match="is not there, or not what was approved"):
            apply(stack, ti)
    assert size(stack) == "nothing"


def test_a_plan_from_which_the_state_has_moved_away_is_refused(stack, monkeypatch, caplog):
    stale = approved(plan(stack))
    monkeypatch.setenv("TF_VAR_size", "large")
    apply(stack, approved(plan(stack)))
    with pytest.raises(AirflowFailException, match="trigger a new run"):
        apply(stack, stale)
    assert size(stack) == "large"


def test_a_long_plan_is_cut_where_it_is_shown(stack, monkeypatch):
    monkeypatch.setattr("pipeline.terraform.SHOWN_CHARACTERS", 100)
    text = plan(stack)["text"]
    assert len(text) < 200 and text.endswith("the rest is in the log of the task plan")


def test_the_dag_is_there_only_where_it_can_work(stack, monkeypatch):
    from airflow.dag_processing.dagbag import DagBag

    file = Path(__file__).parents[1] / "dags/infrastructure.py"
    monkeypatch.delenv("TERRAFORM_DIR", raising=False)
    assert DagBag(file).dags == {}
    monkeypatch.setenv("TERRAFORM_DIR", str(stack))
    dag = DagBag(file).dags["infrastructure"]
    assert [task.task_id for task in dag.topological_sort()] == ["plan", "approve", "apply"]
    assert dag.max_active_runs == 1
    # no answer is a no, and a day is long enough
    assert (
        dag.get_task("approve").defaults == ["Reject"] and dag.get_task("approve").response_timeout.days == 1
    )


def test_the_deployed_airflow_has_no_such_dag():
    """Its image has no Terraform, and its identity may neither keep plans nor apply them."""
    deployed = [ROOT / "airflow/helm/values.yaml", ROOT / "terraform/deploy/commands.py"]
    deployed += [ROOT / "airflow/airflow.env", *(ROOT / "airflow/image").iterdir()]
    assert not [file.name for file in deployed if "TERRAFORM_DIR" in file.read_text()]
