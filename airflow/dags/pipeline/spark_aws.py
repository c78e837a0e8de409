"""Spark on AWS: EMR Serverless, EMR on EC2 and Glue. See spark.py.

Credentials are those of the machine (on Kubernetes, of the service account), so there is no Airflow connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.amazon.aws.hooks.emr import EmrHook
from airflow.providers.amazon.aws.operators.emr import (
    EmrAddStepsOperator,
    EmrCreateJobFlowOperator,
    EmrServerlessStartJobOperator,
    EmrTerminateJobFlowOperator,
)
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.amazon.aws.triggers.emr import EmrAddStepsTrigger, EmrServerlessStartJobTrigger
from airflow.providers.amazon.aws.triggers.glue import GlueJobCompleteTrigger

from pipeline.settings import DAY, RUN
from pipeline.spark_cloud import (
    CODE,
    IDLE_MINUTES,
    JOB_MINUTES,
    PACKAGE,
    POLL_SECONDS,
    SUBMIT,
    TAGS,
    TASK_TIMEOUT,
    DeployedNumber,
    arguments,
    deployed,
)

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.triggers.base import BaseTrigger

AWS: dict[str, Any] = {
    "aws_conn_id": None,
    "region_name": deployed("region"),
    "deferrable": True,
    "waiter_delay": POLL_SECONDS,
    "waiter_max_attempts": (JOB_MINUTES + 5) * 60 // POLL_SECONDS,
    "execution_timeout": TASK_TIMEOUT,
}
# AWS's managed policy for EMR's service role lets it work on what bears this tag only.
MANAGED = {"for-use-with-amazon-emr-managed-policies": "true"}
# put in place by emr_bootstrap.sh
EMR_PYTHON = "/usr/local/bin/spark-python"
# What the image of EMR Serverless lacks, unpacked beside driver and executors: made for this Python by `make spark-package`.
SERVERLESS_PYTHON = {"PYSPARK_PYTHON": "python3.11", "PYTHONPATH": "./packages"}
SERVERLESS_CONFIGURATION = {
    "spark.archives": f"{PACKAGE}/packages.tar.gz#packages",
    **{f"spark.emr-serverless.driverEnv.{name}": value for name, value in SERVERLESS_PYTHON.items()},
    **{f"spark.executorEnv.{name}": value for name, value in SERVERLESS_PYTHON.items()},
}


def emr_serverless(job: str) -> EmrServerlessStartJobOperator:
    return ServerlessJob(
        task_id=job,
        # by which a later try finds it
        name=f"{job} {DAY} {RUN}",
        application_id=deployed("emr_serverless_application_id"),
        execution_role_arn=deployed("job_role_arn"),
        job_driver={
            "sparkSubmit": {
                "entryPoint": SUBMIT,
                "entryPointArguments": arguments(job),
                "sparkSubmitParameters": " ".join(
                    [
                        f"--py-files {CODE}",
                        *(f"--conf {key}={value}" for key, value in SERVERLESS_CONFIGURATION.items()),
                    ]
                ),
            }
        },
        # also gives the task its link to the logs
        configuration_overrides={
            "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": deployed("emr_log_uri")}}
        },
        config={"executionTimeoutMinutes": JOB_MINUTES, "tags": TAGS},
        **AWS,
    )


def emr(job: str) -> EmrAddStepsOperator:
    command = ["spark-submit", "--conf", f"spark.pyspark.python={EMR_PYTHON}", "--py-files", CODE, SUBMIT]
    return EmrSteps(
        task_id=job,
        job_flow_id="{{ ti.xcom_pull(task_ids='start_spark_cluster') }}",
        steps=[
            {
                "Name": f"{job} {DAY}",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {"Jar": "command-runner.jar", "Args": [*command, *arguments(job)]},
            }
        ],
        **AWS,
    )


def emr_cluster() -> tuple[EmrCreateJobFlowOperator, EmrTerminateJobFlowOperator]:
    machine = {"InstanceType": deployed("emr_instance_type"), "Market": "ON_DEMAND"}
    core_count = DeployedNumber("emr_core_instance_count")
    start_spark_cluster = EmrCreateJobFlowOperator(
        task_id="start_spark_cluster",
        emr_conn_id=None,
        job_flow_overrides={
            "Name": f"movie-analytics {DAY}",
            "ReleaseLabel": deployed("emr_release_label"),
            "Applications": [{"Name": "Spark"}],
            "ServiceRole": deployed("emr_service_role"),
            "JobFlowRole": deployed("emr_instance_profile"),
            "SecurityConfiguration": deployed("emr_security_configuration"),
            "LogUri": deployed("emr_log_uri"),
            "BootstrapActions": [
                {
                    "Name": "Python of the jobs",
                    "ScriptBootstrapAction": {"Path": f"{PACKAGE}/emr_bootstrap.sh"},
                }
            ],
            # both jobs at once
            "StepConcurrencyLevel": 2,
            "AutoTerminationPolicy": {"IdleTimeout": IDLE_MINUTES * 60},
            "Instances": {
                "Ec2SubnetId": deployed("emr_subnet_id"),
                "KeepJobFlowAliveWhenNoSteps": True,
                "InstanceGroups": [
                    {"Name": "primary", "InstanceRole": "MASTER", "InstanceCount": 1, **machine},
                    {"Name": "core", "InstanceRole": "CORE", "InstanceCount": core_count, **machine},
                ],
            },
            "Tags": [{"Key": key, "Value": value} for key, value in {**TAGS, **MANAGED}.items()],
        },
        wait_for_completion=True,  # of the start
        **AWS,
    )
    stop_spark_cluster = EmrTerminateJobFlowOperator(
        task_id="stop_spark_cluster",
        job_flow_id=start_spark_cluster.output,  # type: ignore[arg-type]  # a template field, which takes an XCom, too
        **AWS,
    )
    return start_spark_cluster, stop_spark_cluster


def glue(job: str) -> GlueJobOperator:
    """A run of the one job that Terraform defined; the job itself says which code it takes."""
    keys_and_values = iter(arguments(job))
    return GlueRun(
        task_id=job,
        job_name=deployed("glue_job_name"),
        script_args={
            "--scriptLocation": SUBMIT,
            "--extra-py-files": CODE,
            **dict(zip(keys_and_values, keys_and_values, strict=True)),
        },
        run_job_kwargs={"Timeout": JOB_MINUTES},
        stop_job_run_on_kill=True,
        **AWS,
    )


# What the provider's operators lack: a job of an earlier try that still runs is followed (Glue's does it), and a job ends when someone
# ends the task that waits for it (EMR Serverless' does it). The triggerer imports triggers by name, so the folder of the DAGs must be
# on its PYTHONPATH.


class ServerlessJob(EmrServerlessStartJobOperator):
    def execute(self, context: Context, event: dict[str, Any] | None = None) -> str | None:
        pages = self.hook.conn.get_paginator("list_job_runs").paginate(
            applicationId=self.application_id,
            states=["SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "QUEUED"],
        )
        running = (run["id"] for page in pages for run in page["jobRuns"] if run.get("name") == self.name)
        self.job_id = next(running, None)
        if not self.job_id:
            return super().execute(context, event)
        self.log.info("job %s, which an earlier try has started, still runs: it is followed", self.job_id)
        self.persist_links(context)
        trigger = EmrServerlessStartJobTrigger(
            application_id=self.application_id,
            job_id=self.job_id,
            waiter_delay=self.waiter_delay,
            waiter_max_attempts=self.waiter_max_attempts,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
        )
        self.defer(trigger=trigger, method_name="execute_complete")


class EmrStepsHook(EmrHook):
    def add_job_flow_steps(
        self, job_flow_id: str, steps: Any = None, *arguments: Any, **options: Any
    ) -> list[str]:
        """Of the day's own cluster, which no other run has."""
        pages = self.conn.get_paginator("list_steps").paginate(
            ClusterId=job_flow_id, StepStates=["PENDING", "RUNNING"]
        )
        running = {step["Name"]: step["Id"] for page in pages for step in page["Steps"]}
        (name,) = (step["Name"] for step in steps)
        if name not in running:
            return super().add_job_flow_steps(job_flow_id, steps, *arguments, **options)
        self.log.info("step %s, which an earlier try has added, still runs: it is followed", running[name])
        return [running[name]]


class EmrStepsTrigger(EmrAddStepsTrigger):
    async def on_kill(self) -> None:
        async with await self.hook().get_async_conn() as client:
            await client.cancel_steps(**self.waiter_args, StepCancellationOption="TERMINATE_PROCESS")


class EmrSteps(EmrAddStepsOperator):
    aws_hook_class = EmrStepsHook

    def defer(self, *, trigger: BaseTrigger, **kwargs: Any) -> NoReturn:
        super().defer(trigger=EmrStepsTrigger(**trigger.serialize()[1]), **kwargs)


class GlueRunTrigger(GlueJobCompleteTrigger):
    async def on_kill(self) -> None:
        async with await self.hook().get_async_conn() as client:
            await client.batch_stop_job_run(JobName=self.job_name, JobRunIds=[self.run_id])


class GlueRun(GlueJobOperator):
    def defer(self, *, trigger: BaseTrigger, **kwargs: Any) -> NoReturn:
        super().defer(trigger=GlueRunTrigger(**trigger.serialize()[1]), **kwargs)
