"""What the sample plants in raw reviews and logs, a phone number, an IP address, a name, an e-mail address, a card number, is
nowhere but in the raw files and the quarantine: not in staging, the warehouse, logs, Spark's events and plans, dbt's artefacts,
the docs or the report. Nor is the key of the pseudonyms. Airflow's part is airflow/tests/test_personal_data.py."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from ci.staged_sample import Sample, Warehouse
from demo.feeds.canaries import CANARIES, CARD, IP, PHONE
from pages.tests.build import build_pages, build_report
from spark_prep.contract.encryption import ENCRYPTED, read_batches

pytestmark = pytest.mark.slow


def forms() -> dict[str, list[bytes]]:
    """What is searched for: the values, without their punctuation, and as digests that anyone could make."""
    found = {kind: [canary] for kind, canary in CANARIES.items()}
    found["phone"].append(PHONE.replace("-", ""))
    found["card"].append(CARD.replace(" ", ""))
    for kind, value in (("phone", PHONE), ("IP", IP)):
        found[kind] += [hashlib.new(name, value.encode()).hexdigest() for name in ("md5", "sha1", "sha256")]
    found["key"] = [Sample.SECRET, Sample.QUARANTINE_SECRET]
    return {kind: [text.encode() for text in texts] for kind, texts in found.items()}


def places_with(texts: Iterable[tuple[str, bytes]]) -> set[tuple[str, str]]:
    """(place, kind) for each place in whose text something is found, in whatever case."""
    wanted = [(kind, form.lower()) for kind, of_kind in forms().items() for form in of_kind]
    return {(place, kind) for place, text in texts for kind, form in wanted if form in text.lower()}


def contents(folder: Path) -> Iterable[tuple[str, bytes]]:
    """Each file below the folder as it is; Parquet and DuckDB pack their pages, so of these also the values."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(file.relative_to(folder.parent))
        yield name, file.read_bytes()
        if file.suffix == ".parquet":
            readable = [column for column in pq.read_schema(file).names if column not in ENCRYPTED]
            values = [batch.to_pylist() for batch in pq.ParquetFile(file).iter_batches(columns=readable)]
            yield f"values of {name}", str(values).encode()
        if file.suffix == ".duckdb":
            yield from rows_of(file)


def rows_of(database: Path) -> Iterable[tuple[str, bytes]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        assert len(tables) > 40
        for schema, table in tables:
            rows = connection.execute(f'select "{table}"::varchar from "{schema}"."{table}"').fetchall()
            yield f"rows of {schema}.{table}", "\n".join(row for (row,) in rows).encode()


@pytest.fixture(scope="module")
def site(built: Warehouse, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for made in (
        build_report(built, folder / "report"),
        build_pages("pages.docs_site.build", built, folder, "report/index.html"),
    ):
        assert made.returncode == 0, made.stdout + made.stderr
    assert (folder / "lineage.html").exists() and (folder / "report/trust.html").exists()
    return folder


def test_the_search_finds_all_of_it_in_the_raw_files_and_with_the_key_in_the_quarantine(sample, monkeypatch):
    for folder in (sample.raw / "movie_review", sample.raw / "log_reviews"):
        assert {kind for _, kind in places_with(contents(folder))} == set(CANARIES), folder
    monkeypatch.setenv("QUARANTINE_SECRET", sample.QUARANTINE_SECRET)
    decrypted = [
        (str(file), str(batch.to_pylist()).encode())
        for file in sample.quarantine.rglob("*.parquet")
        for batch in read_batches("/", str(file))
    ]
    assert {kind for _, kind in places_with(decrypted)} == set(CANARIES)


def test_without_the_key_the_quarantine_has_none(sample):
    """Its files as they are, and what anybody reads of them: reasons, files and ids."""
    assert places_with(contents(sample.quarantine)) == set()


def test_staging_has_pseudonyms_in_their_place(sample):
    assert places_with(contents(sample.staging)) == set()
    with duckdb.connect() as connection:
        logs = f"read_parquet('{sample.staging}/review_logs/**/*.parquet')"
        counts = connection.execute(
            f"select count(*) from {logs} group by phone_number order by 1 desc"
        ).fetchall()
    assert counts[0][0] >= 10, "all of the canary's logs have one pseudonym"


def test_what_spark_says_of_its_work_has_none(sample):
    events = list(contents(sample.folder / "event_log"))
    assert any(b"physicalPlanDescription" in text and b"MapInArrow" in text for _, text in events)
    assert places_with(events) == set()
    printed = (sample.folder / "prepare_staging.log").read_bytes()
    assert b"review_logs" in printed and places_with([("prepare_staging.log", printed)]) == set()


def test_the_warehouse_and_dbts_artefacts_and_logs_have_none(built, site):
    """The site comes first: dbt writes its catalog for it."""
    found = dict(contents(built.folder))
    assert any("dbt.log" in name for name in found) and any("catalog.json" in name for name in found)
    assert "rows of analytics_audit.run_result" in found
    assert any(name.endswith("run_results.json") for name in found)
    assert places_with(found.items()) == set()


def test_the_docs_and_the_report_have_none(site):
    assert places_with(contents(site)) == set()
