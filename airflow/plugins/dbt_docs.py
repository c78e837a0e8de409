"""The docs site and the report in Airflow's menu (Browse), for users who are logged in.

The tasks publish_docs and publish_report put them below the variable artifacts_uri. Cosmos has a plugin for this, which asks for no login.
"""

from pathlib import Path as Folder
from typing import Annotated

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import ObjectStoragePath, Variable
from fastapi import Depends, FastAPI, HTTPException, Path
from fastapi.responses import HTMLResponse

# Pages of the folder and of folders in it, nothing that leads out of it.
Page = Annotated[str, Path(pattern=r"^(([a-z_]+/)?[a-z_]+\.html)?$")]
# They come from Airflow's own address, where a script has the rights of whoever is logged in: no page may run one but those
# of dbt and dbdocs, the search and the report's Explore, which are kept apart as if they came from nowhere (sandbox).
NO_SCRIPT = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
APART = "sandbox allow-scripts allow-popups allow-downloads; frame-ancestors 'self'"
PAGES_WITH_SCRIPTS = ("index.html", "dbt_docs.html", "lineage.html", "report/explore.html")
HEADERS = {
    "Content-Security-Policy": NO_SCRIPT,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # a page behind a login stays in no cache
    "Cache-Control": "private, no-store",
}

app = FastAPI(
    dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
    docs_url=None, redoc_url=None, openapi_url=None,
)  # fmt: skip


@app.get("/{page:path}")
def docs(page: Page) -> HTMLResponse:
    page = page or "index.html"
    site = ObjectStoragePath(f"{Variable.get('artifacts_uri')}/docs")
    text = _text(site, site / page)
    if text is None:
        raise HTTPException(404, "This page has not been published yet: the DAG analytics does it.")
    policy = APART if page in PAGES_WITH_SCRIPTS else NO_SCRIPT
    return HTMLResponse(text, headers={**HEADERS, "Content-Security-Policy": policy})


def _text(site: ObjectStoragePath, file: ObjectStoragePath) -> str | None:
    """What the page says; None for what is no page: nothing, a folder, no text, a link that leads out of the site."""
    if not file.is_file():
        return None
    if file.protocol == "file" and not Folder(file.path).resolve().is_relative_to(
        Folder(site.path).resolve()
    ):
        return None
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


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
