"""What the process of each task needs, imported once by the scheduler, from which those processes are forked.

Cosmos, Airflow's own runner and the providers' handlers of assets take longer to import than the task of a model takes
to run. Nothing of this project is among them: a task always runs the DAG files as they are now.
"""

import airflow.sdk.execution_time.task_runner  # noqa: F401 - for its import alone
import cosmos.airflow.task_group
import cosmos.operators.watcher  # noqa: F401 - for its import alone
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

ProvidersManagerTaskRuntime().initialize_providers_asset_uri_resources()


class Preloaded(AirflowPlugin):
    name = "preloaded"
