"""The docs site and the report in Airflow's menu (Browse), for users who are logged in.

The tasks publish_docs and publish_report put them below the variable artifacts_uri. Cosmos has a plugin for this, which asks for no login.
"""

from typing import Annotated

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import ObjectStoragePath, Variable
from fastapi import Depends, FastAPI, HTTPException, Path
from fastapi.responses import HTMLResponse

# Pages of the folder and of folders in it, nothing that leads out of it.
Page = Annotated[str, Path(pattern=r"^(([a-z_]+/)?[a-z_]+\.html)?$")]

app = FastAPI(
    dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
    docs_url=None, redoc_url=None, openapi_url=None,
)  # fmt: skip


@app.get("/{page:path}")
def docs(page: Page) -> HTMLResponse:
    file = ObjectStoragePath(f"{Variable.get('artifacts_uri')}/docs") / (page or "index.html")
    if not file.exists():
        raise HTTPException(404, "This page has not been published yet: the DAG analytics does it.")
    return HTMLResponse(file.read_text(encoding="utf-8"))


class DbtDocsPlugin(AirflowPlugin):
    name = "dbt_docs"
    fastapi_apps = [{"app": app, "url_prefix": "/dbt-docs", "name": "dbt docs"}]  # noqa: RUF012 - as Airflow has it
    external_views = [  # noqa: RUF012 - as Airflow has it
        {
            "name": "dbt docs",
            "href": "/dbt-docs/",
            "destination": "nav",
            "category": "browse",
            "url_route": "dbt_docs",
        }
    ]
