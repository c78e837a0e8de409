"""The plugin dbt_docs in Airflow's real web application: no one reads the docs without a login."""

import json

import pytest


@pytest.fixture(scope="module")
def web(airflow_database, tmp_path_factory):
    """A client of the application, and the folder of what is published."""
    from fastapi.testclient import TestClient

    folder = tmp_path_factory.mktemp("web")
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({"reader": "only-for-tests"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "reader:viewer")
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(passwords))
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "only-for-tests-" * 5)
        # as the API server imports it: the variable below is then read from Airflow's database
        from airflow.api_fastapi.main import app
        from airflow.models import Variable

        Variable.set("artifacts_uri", f"file://{folder}/artifacts")  # noqa: AIR311 - the SDK's works in tasks only
        with TestClient(app) as client:
            yield client, folder / "artifacts"


@pytest.fixture(scope="module")
def login(web) -> dict[str, str]:
    client, _ = web
    answer = client.post("/auth/token", json={"username": "reader", "password": "only-for-tests"})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_docs_ask_for_a_login(web):
    client, artifacts = web
    publish(artifacts)
    for page in ("", "index.html", "report/trust.html"):
        assert client.get(f"/dbt-docs/{page}", follow_redirects=False).status_code == 401
    assert client.get("/dbt-docs/", headers={"Authorization": "Bearer no-token"}).status_code in (401, 403)


def test_docs_are_shown_after_the_login(web, login):
    client, artifacts = web
    publish(artifacts)
    answer = client.get("/dbt-docs/", headers=login)
    assert (answer.status_code, answer.text) == (200, "<html>the docs</html>")
    assert answer.headers["content-type"].startswith("text/html")
    assert client.get("/dbt-docs/index.html", headers=login).text == "<html>the docs</html>"
    assert client.get("/dbt-docs/report/trust.html", headers=login).text == "<html>the report</html>"


@pytest.mark.parametrize(
    "page", ["report/runs.html", "report/", "..%2Fsecret.html", "..%2f..%2Fsecret.html", "%2e%2e/secret.html"]
)
def test_nothing_else_is_shown(web, login, page):
    client, artifacts = web
    publish(artifacts)
    (artifacts / "secret.html").write_text("secret")
    assert client.get(f"/dbt-docs/{page}", headers=login).status_code in (404, 422)


@pytest.mark.parametrize(
    ("page", "policy"),
    [
        # the search
        ("", "sandbox allow-scripts allow-popups allow-downloads;"),
        ("report/trust.html", "default-src 'none'"),
        ("dbt_docs.html", "sandbox allow-scripts allow-popups allow-downloads;"),
        ("lineage.html", "sandbox allow-scripts allow-popups allow-downloads;"),
        # its table is saved as CSV
        ("report/explore.html", "sandbox allow-scripts allow-popups allow-downloads;"),
    ],
)
def test_no_script_of_a_page_has_the_rights_of_the_reader(web, login, page, policy):
    client, artifacts = web
    publish(artifacts)
    headers = client.get(f"/dbt-docs/{page}", headers=login).headers
    assert headers["content-security-policy"].startswith(policy)
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert "allow-same-origin" not in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "private, no-store")


def test_what_is_no_page_is_not_found(web, login):
    client, artifacts = web
    publish(artifacts)
    (artifacts / "secret.html").write_text("secret")
    (artifacts / "docs/link.html").unlink(missing_ok=True)
    (artifacts / "docs/link.html").symlink_to(artifacts / "secret.html")
    (artifacts / "docs/folder.html").mkdir(exist_ok=True)
    (artifacts / "docs/latin.html").write_bytes("<p>Größe</p>".encode("latin-1"))
    for page in ("link.html", "folder.html", "latin.html"):
        answer = client.get(f"/dbt-docs/{page}", headers=login)
        assert (answer.status_code, "secret" in answer.text) == (404, False), page


def test_docs_that_are_not_published_yet_say_so(web, login):
    client, artifacts = web
    (artifacts / "docs/index.html").unlink(missing_ok=True)
    answer = client.get("/dbt-docs/", headers=login)
    assert answer.status_code == 404
    assert "not been published yet" in answer.text


def test_no_other_address_serves_the_docs(web):
    """Cosmos brings a plugin that serves them without a login, once it knows where they are."""
    client, artifacts = web
    publish(artifacts)
    assert client.get("/cosmos/dbt_docs_index.html").status_code in (401, 404)
    from cosmos import settings

    assert settings.dbt_docs_dir is None


def publish(artifacts) -> None:
    (artifacts / "docs/report").mkdir(parents=True, exist_ok=True)
    (artifacts / "docs/index.html").write_text("<html>the docs</html>")
    for page in ("dbt_docs", "lineage", "report/explore"):
        (artifacts / f"docs/{page}.html").write_text("<html><script>1</script></html>")
    (artifacts / "docs/report/trust.html").write_text("<html>the report</html>")
