"""Terraform as three tasks: a plan, its approval by a person, and the apply of that plan and no other.

A plan file may hold secrets in clear: it is kept in the artifacts bucket under its SHA-256 until it is applied or
rejected. The approval remembers the SHA-256 of the plan that it showed; what is applied must have it.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import BaseOperator, Context, ObjectStoragePath, Variable
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

# The readable plan in the approval; the log has all of it.
SHOWN_CHARACTERS = 50_000
CHANGES = 2


class Terraform(BaseOperator):
    """Runs terraform in the stack's folder, its output line by line in the log."""

    def __init__(self, *, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None

    def terraform(
        self, data_folder: str, *arguments: str, expected: tuple[int, ...] = (0,)
    ) -> tuple[int, str]:
        """Returns exit code and output; raises AirflowException for an exit code that is not expected."""
        self.log.info("terraform %s", " ".join(arguments))
        self._process = subprocess.Popen(
            ["terraform", *arguments],  # noqa: S607 - where it is differs from machine to machine
            cwd=self.folder,
            # nothing is written into the folder, which may be read-only
            env={**os.environ, "TF_DATA_DIR": data_folder, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        lines = []
        for line in self._process.stdout or ():
            lines.append(line)
            self.log.info("%s", line.rstrip())
        code = self._process.wait()
        if code not in expected:
            raise AirflowException(f"terraform {arguments[0]} ended with exit code {code}, see above")
        return code, "".join(lines)

    def on_kill(self) -> None:
        """Terraform then finishes its current step, saves the state and unlocks it, even if this task is gone."""
        if self._process:
            self._process.send_signal(signal.SIGINT)


class Plan(Terraform):
    """Makes and keeps a plan; returns its SHA-256 and its text. Skips what follows when there is nothing to change."""

    def execute(self, context: Context) -> dict[str, str]:
        with TemporaryDirectory() as data_folder:
            file = Path(data_folder, "plan.tfplan")
            self.terraform(data_folder, "init", "-no-color")
            code, _ = self.terraform(
                data_folder, "plan", "-no-color", "-lock-timeout=5m", "-detailed-exitcode", f"-out={file}",
                expected=(0, CHANGES),
            )  # fmt: skip
            if code != CHANGES:
                raise AirflowSkipException("nothing to change")
            _, text = self.terraform(data_folder, "show", "-no-color", str(file))
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
            kept = _kept(sha256)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(file.read_bytes())
        if len(text) > SHOWN_CHARACTERS:
            text = f"{text[:SHOWN_CHARACTERS]}\n… the rest is in the log of the task plan"
        return {"sha256": sha256, "text": text}


class Approval(ApprovalOperator):
    """Shows the plan and waits for a person; the XCom `approved` is the SHA-256 of the plan that was approved."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            subject="Apply this plan to the platform?",
            body="```\n{{ ti.xcom_pull('plan')['text'] }}\n```",
            defaults=self.REJECT,
            **{**kwargs, "execution_timeout": None},
        )

    def execute(self, context: Context) -> Any:
        context["ti"].xcom_push("shown", context["ti"].xcom_pull("plan")["sha256"])
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        shown = context["ti"].xcom_pull(self.task_id, key="shown")
        if event["chosen_options"] == [self.APPROVE]:
            context["ti"].xcom_push("approved", shown)
        else:
            _kept(shown).unlink(missing_ok=True)
        return super().execute_complete(context, event)


class Apply(Terraform):
    """Applies the plan that a person approved, as it was shown. Never retries: half of it may be done."""

    def execute(self, context: Context) -> None:
        approved = context["ti"].xcom_pull("approve", key="approved")
        if not approved:
            raise AirflowFailException("no one has approved this plan: clear `approve`, and answer it")
        kept = _kept(approved)
        try:
            plan = kept.read_bytes() if kept.exists() else b""
            if hashlib.sha256(plan).hexdigest() != approved:
                raise AirflowException(f"{kept} is not there, or not what was approved")
            with TemporaryDirectory() as data_folder:
                file = Path(data_folder, "plan.tfplan")
                file.write_bytes(plan)
                self.terraform(data_folder, "init", "-no-color")
                self.terraform(data_folder, "apply", "-no-color", "-lock-timeout=5m", str(file))
        except AirflowException as error:
            raise AirflowFailException(f"{error}; trigger a new run for a new plan") from error
        finally:
            kept.unlink(missing_ok=True)


def _kept(sha256: str) -> ObjectStoragePath:
    return ObjectStoragePath(f"{Variable.get('artifacts_uri')}/infrastructure/{sha256}.tfplan")
