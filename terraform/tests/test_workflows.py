"""What the GitHub workflows promise: pinned actions, no long-lived keys, no more rights than needed, nothing unattended.

They have not yet run on GitHub: what they call is tested elsewhere (terraform.deploy, .ci/run), their form is checked here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from terraform.tests.cli import CLOUDS, TREE

WORKFLOWS = {file.stem: file for file in sorted((TREE.parent / ".github/workflows").glob("*.yml"))}
ZIZMOR = Path(sys.executable).with_name("zizmor")


def read(name: str) -> dict[str, Any]:
    workflow: dict[Any, Any] = yaml.safe_load(WORKFLOWS[name].read_text())
    workflow["on"] = workflow.pop(True)  # YAML 1.1 takes "on" for a truth value
    return workflow


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, job, value) for name in WORKFLOWS for job, value in read(name)["jobs"].items()]


def steps(job: dict[str, Any]) -> str:
    return "\n".join(f"{step.get('uses', '')} {step.get('run', '')}" for step in job["steps"])


def test_there_are_four() -> None:
    assert WORKFLOWS.keys() == {"test", "plan", "numbers", "deploy"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_to_a_commit_whose_version_stands_beside_it(name: str) -> None:
    used = re.findall(r"uses: (\S+)(.*)", WORKFLOWS[name].read_text())
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{action}{comment}"


def test_an_action_has_one_version_in_all_workflows() -> None:
    text = "".join(file.read_text() for file in WORKFLOWS.values())
    versions: dict[str, set[str]] = {}
    for action, commit in re.findall(r"uses: ([\w/-]+)@(\S+)", text):
        versions.setdefault(action, set()).add(commit)
    assert {action: commits for action, commits in versions.items() if len(commits) > 1} == {}
    assert len(set(re.findall(r'terraform_version: "(.*)"', text))) == 1


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_secret_of_the_repository_is_used(name: str) -> None:
    """Clouds trust GitHub's own token; there is no key to keep."""
    assert "secrets." not in WORKFLOWS[name].read_text()


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nobody_outside_can_start_it_with_rights(name: str) -> None:
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(read(name)["on"])


def test_rights_are_given_job_by_job_and_no_more_than_these() -> None:
    assert read("test")["permissions"] == {"contents": "read"}
    for name in ("plan", "numbers", "deploy"):
        assert read(name)["permissions"] == {}
    given = {(name, job): value.get("permissions") for name, job, value in jobs()}
    cloud = {"contents": "read", "id-token": "write"}
    assert given == {
        ("test", "test"): None,
        ("test", "long"): None,
        ("plan", "plan"): cloud,
        ("plan", "comment"): {"pull-requests": "write"},
        ("numbers", "diff"): {"contents": "read"},
        ("numbers", "comment"): {"pull-requests": "write"},
        ("deploy", "plan"): cloud,
        ("deploy", "deploy"): cloud,
    }


COMMENTING = ("plan", "numbers")


@pytest.mark.parametrize("name", COMMENTING)
def test_who_may_write_to_a_pull_request_runs_none_of_its_code(name: str) -> None:
    comment = steps(read(name)["jobs"]["comment"])
    assert not re.search("actions/checkout|terraform/|make |python", comment)


def test_a_fork_gets_no_credentials() -> None:
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    assert own in read("plan")["jobs"]["plan"]["if"]
    # What its numbers are is in the summary of the run, which needs no token.
    numbers = read("numbers")["jobs"]
    assert "if" not in numbers["diff"] and "GITHUB_STEP_SUMMARY" in steps(numbers["diff"])
    assert numbers["comment"]["if"] == own


@pytest.mark.parametrize("name", COMMENTING)
def test_one_comment_is_written_and_then_written_again(name: str, tmp_path: Path) -> None:
    """The step's own commands, with a gh that keeps comments as GitHub does, others' among them."""
    (step,) = (step for step in read(name)["jobs"]["comment"]["steps"] if "run" in step)
    kept = tmp_path / "kept.json"
    kept.write_text(
        json.dumps(
            [
                {"id": 1, "user": {"login": "someone"}, "body": f"<!-- {name} -->"},
                {"id": 2, "user": {"login": "github-actions[bot]"}, "body": "<!-- other -->"},
            ]
        )
    )
    gh = tmp_path / "gh"
    gh.write_text(f"#!{sys.executable}\n{GH}")
    gh.chmod(0o755)
    texts = []
    for text in ("first", "second `x` $(date)"):
        (tmp_path / f"{name}.txt").write_text(f"Plan: {text}")
        (tmp_path / f"{name}.md").write_text(text)
        subprocess.run(
            ["bash", "-e", "-c", step["run"]], cwd=tmp_path, check=True,
            env={
                "PATH": f"{tmp_path}:{os.environ['PATH']}", "KEPT": str(kept), "RESULT": "success",
                "COMMENTS": "repos/o/r/issues/7/comments", "COMMENT": "repos/o/r/issues/comments",
            },
        )  # fmt: skip
        comments = json.loads(kept.read_text())
        assert [comment["id"] for comment in comments] == [1, 2, 3]
        texts.append(comments[2]["body"])
    assert all(text.startswith(f"<!-- {name} -->\n") for text in texts)
    assert "first" in texts[0] and "second `x` $(date)" in texts[1] and "first" not in texts[1]


# gh api: lists comments by the filter of the workflows, changes one, adds one.
GH = """
import json, os, re, sys
kept = json.load(open(os.environ["KEPT"]))
_, api, *rest = sys.argv
if "--jq" in rest:
    assert api == "api" and "repos/o/r/issues/7/comments" in rest
    marker = re.search(r'startswith\\("(.*?)"', rest[-1])[1]
    print(*(c["id"] for c in kept if c["user"]["login"] == "github-actions[bot]" and c["body"].startswith(marker)), sep="\\n")
else:
    method, address, body = rest[rest.index("--method") + 1], rest[rest.index("--method") + 2], open(rest[-1].removeprefix("body=@")).read()
    if method == "POST":
        assert address == "repos/o/r/issues/7/comments"
        kept.append({"id": len(kept) + 1, "user": {"login": "github-actions[bot]"}, "body": body})
    else:
        (found,) = [c for c in kept if address == f"repos/o/r/issues/comments/{c['id']}"]
        found["body"] = body
    json.dump(kept, open(os.environ["KEPT"], "w"))
"""


def test_who_logs_in_to_a_cloud_does_it_in_an_environment() -> None:
    """There the cloud's trust is bound to, and reviewers can be asked."""
    environments = {}
    for name, job, value in jobs():
        if "configure-aws-credentials" in steps(value) or "google-github-actions/auth" in steps(value):
            environments[name, job] = value["environment"]
    assert environments == {
        ("plan", "plan"): "plan",
        ("deploy", "plan"): "plan",
        ("deploy", "deploy"): "${{ inputs.cloud }}-${{ inputs.environment }}",
    }


def test_a_deployment_is_planned_first_and_never_runs_beside_another() -> None:
    deploy = read("deploy")
    assert deploy["jobs"]["deploy"]["needs"] == "plan"
    assert deploy["concurrency"] == {
        "group": "deploy-${{ inputs.cloud }}-${{ inputs.environment }}", "cancel-in-progress": False,
    }  # fmt: skip
    assert set(deploy["on"]) == {"workflow_dispatch"}


def test_the_length_of_a_login_is_one_that_the_docs_ask_the_role_to_allow() -> None:
    """AWS refuses a longer one than the role's MaxSessionDuration, which is an hour unless someone sets it."""
    asked = {
        step["with"]["role-duration-seconds"]
        for _, _, job in jobs()
        for step in job["steps"]
        if "role-duration-seconds" in step.get("with", {})
    }
    (seconds,) = asked
    assert f"--max-session-duration {seconds}`" in (TREE / "DEPLOY.md").read_text()


def test_what_can_be_chosen_exists() -> None:
    inputs = read("deploy")["on"]["workflow_dispatch"]["inputs"]
    assert inputs["cloud"]["options"] == list(CLOUDS)
    for cloud in CLOUDS:
        files = {file.stem for file in (TREE / cloud / "environments").glob("*.tfvars")}
        assert files == set(inputs["environment"]["options"])


def test_they_call_what_a_person_calls() -> None:
    commands = {
        (name, job): re.findall(r"python3 -m terraform\.deploy (.*?)(?: \||$)", steps(value), re.MULTILINE)
        for name, job, value in jobs()
    }
    assert {key: value for key, value in commands.items() if value} == {
        ("plan", "plan"): ['plan "$CLOUD" "$ENVIRONMENT"'],
        ("deploy", "plan"): ['plan "$CLOUD" "$ENVIRONMENT"'],
        ("deploy", "deploy"): ['--yes deploy "$CLOUD" "$ENVIRONMENT"'],
    }
    assert ".ci/run" in steps(read("test")["jobs"]["test"])
    numbers = steps(read("numbers")["jobs"]["diff"])
    targets = set(re.findall(r"make (?:--no-print-directory )?-C \w+ (\w+)", numbers))
    assert targets == {"demo", "diff"}
    long = read("test")["jobs"]["long"]["strategy"]["matrix"]["target"]
    assert long == ["test-airflow-long", "test-apply", "test-faults"]
    targets.update(long)
    assert all(f"\n{target}:" in (TREE.parent / "Makefile").read_text() for target in targets)


def test_the_test_runs_on_every_pull_request_with_both_pythons() -> None:
    test = read("test")
    assert "pull_request" in test["on"] and test["on"]["push"] == {"branches": ["main"]}
    versions = {
        (pair["python"], pair["java"]) for pair in test["jobs"]["test"]["strategy"]["matrix"]["include"]
    }
    assert versions == {("3.11", "17"), ("3.13", "21")}


def test_every_job_ends_in_time_on_a_known_machine() -> None:
    for name, job, value in jobs():
        assert value["timeout-minutes"] <= 120, (name, job)
        assert "ubuntu-24.04" in value["runs-on"], (name, job)


def test_what_was_checked_out_holds_no_token() -> None:
    for name, job, value in jobs():
        for step in value["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, (name, job)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_from_outside_is_pasted_into_a_command(name: str) -> None:
    for job in read(name)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step


def test_zizmor_finds_nothing() -> None:
    if not ZIZMOR.exists():
        pytest.skip("no zizmor here: the workflows' syntax and known attacks were not checked")
    audit = subprocess.run(
        [ZIZMOR, "--offline", "--no-progress", TREE.parent / ".github/workflows"],
        check=False,
        text=True,
        capture_output=True,
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr
