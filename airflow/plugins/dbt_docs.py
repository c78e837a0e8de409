"""The dbt docs site in Airflow's menu (Browse), for users who are logged in.

The task publish_docs puts it below the variable artifacts_uri. Cosmos has a plugin for this, which asks for no login.
"""

from typing import ClassVar

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from airflow.models import Variable
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import ObjectStoragePath
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse

app = FastAPI(
    dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
    docs_url=None, redoc_url=None, openapi_url=None,
)  # fmt: skip


@app.get("/")
def docs() -> HTMLResponse:
    site = ObjectStoragePath(f"{Variable.get('artifacts_uri')}/docs/index.html")
    if not site.exists():
        raise HTTPException(404, "The dbt docs have not been published yet: the DAG analytics does it.")
    return HTMLResponse(site.read_text(encoding="utf-8"))


class DbtDocsPlugin(AirflowPlugin):
    name = "dbt_docs"
    fastapi_apps: ClassVar = [{"app": app, "url_prefix": "/dbt-docs", "name": "dbt docs"}]
    external_views: ClassVar = [
        {
            "name": "dbt docs",
            "href": "/dbt-docs/",
            "destination": "nav",
            "category": "browse",
            "url_route": "dbt_docs",
        }
    ]
