"""Rules of the dbt project that a machine can keep: descriptions, contracts, tests, layers."""

import re
import shutil
from pathlib import Path

import pytest

from ci.tests.staged_sample import ROOT, Warehouse

LAYERS = {"staging": "stg_", "intermediate": "int_", "marts": ("dim_", "fact_", "user_", "ledger")}


def models(manifest, layer=None):
    return [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and (layer is None or Path(node["path"]).parts[0] == layer)
    ]


def test_every_table_and_column_is_described(manifest):
    undescribed = []
    nodes = [
        *manifest["sources"].values(),
        *(node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed", "test")),
    ]
    for node in nodes:
        if not node["description"].strip():
            undescribed.append(node["name"])
        undescribed += [
            f"{node['name']}.{column['name']}"
            for column in node["columns"].values()
            if not column["description"].strip()
        ]
    assert undescribed == []


@pytest.mark.slow
def test_every_column_of_a_model_is_in_its_yaml(manifest, built):
    """The columns that the warehouse has and nobody has described."""
    undocumented = []
    for model in models(manifest):
        columns = built.columns(model["schema"], model["name"])
        undocumented += [f"{model['name']}.{column}" for column in columns - model["columns"].keys()]
        assert columns, f"{model['name']} was not built"
    assert undocumented == []


def test_every_mart_has_an_enforced_contract_with_typed_columns(manifest):
    for model in models(manifest, "marts"):
        assert model["config"]["contract"]["enforced"], model["name"]
        assert all(column["data_type"] for column in model["columns"].values()), model["name"]
        assert model["access"] == "public", model["name"]


def test_every_test_has_a_name_of_its_own(manifest):
    """dbt's generated names (unique_dim_os_id_dim_os) do not say what went wrong."""
    generated = [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and node.get("test_metadata")
        and node["name"].startswith(node["test_metadata"]["name"] + "_")
    ]
    assert generated == []


def test_every_model_behind_staging_has_a_unit_test(manifest):
    """Staging is views of names and types."""
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    untested = {
        model["name"]
        for model in [*models(manifest, "intermediate"), *models(manifest, "marts")]
        if model["name"] not in tested
    }
    assert untested == set()


def test_every_exposure_has_an_owner_and_rests_on_public_marts(manifest):
    public = {model["unique_id"] for model in models(manifest, "marts")}
    assert manifest["exposures"]
    for exposure in manifest["exposures"].values():
        assert exposure["description"].strip() and exposure["owner"]["email"], exposure["name"]
        assert set(exposure["depends_on"]["nodes"]) <= public, exposure["name"]


@pytest.mark.parametrize("layer", LAYERS)
def test_names_tell_the_layer(manifest, layer):
    for model in models(manifest, layer):
        assert model["name"].startswith(LAYERS[layer])
        assert model["schema"] == f"analytics_{layer}"


def test_only_staging_reads_sources_and_each_source_has_one_reader(manifest):
    readers = {}
    for model in models(manifest):
        for parent in model["depends_on"]["nodes"]:
            if parent.startswith("source."):
                readers.setdefault(parent, []).append(model["name"])
    assert {name for names in readers.values() for name in names} == {
        model["name"] for model in models(manifest, "staging")
    }
    assert all(len(names) == 1 for names in readers.values())


def test_models_use_no_dialect(manifest):
    """`::`, `%`, any_value, qualify, now(): each means something else, or nothing, in another warehouse."""
    dialect = re.compile(r"::|[^{]%[^}]|\bany_value\b|\bqualify\b|\bnow\(\)|group by all", re.IGNORECASE)
    for model in models(manifest):
        sql = re.sub(r"{[%#{].*?[%#}]}|--[^\n]*", "", model["raw_code"], flags=re.DOTALL)
        assert not dialect.search(sql), model["name"]


@pytest.fixture
def warehouse(tmp_path) -> Warehouse:
    """Nothing is staged and nothing is built."""
    return Warehouse(tmp_path, tmp_path / "staging")


@pytest.mark.parametrize("target", ["redshift", "bigquery"])
def test_the_project_parses_for_the_other_warehouses(warehouse, target):
    parsed = warehouse.dbt(
        "parse", "--no-partial-parse", "--show-all-deprecations", "--warn-error", "--target", target
    )
    assert parsed.returncode == 0, parsed.stdout


class TestStageExternalSources:
    """dbt run-operation stage_external_sources"""

    def run(self, warehouse, arguments):
        return warehouse.dbt("run-operation", "stage_external_sources", "--args", arguments)

    def test_a_dry_run_prints_the_statements_of_the_selected_tables_only(self, warehouse):
        printed = self.run(warehouse, "{select: delivery, dry_run: true}")
        assert printed.returncode == 0, printed.stdout
        assert printed.stdout.count("create or replace view") == 1
        assert "analytics_external.delivery as" in printed.stdout
        built = warehouse.dbt("run", "--select", "stg_delivery")
        assert built.returncode != 0, "a dry run must create nothing"

    def test_an_unknown_table_is_refused_with_the_known_ones(self, warehouse):
        refused = self.run(warehouse, "{select: movies}")
        assert refused.returncode != 0
        assert "No external source table is called movies. There are: classified_movie_review, delivery" in (
            refused.stdout
        )

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("declared", "mistaken", "message"),
        [
            ("file_format: parquet", "file_format: csv", "file_format 'csv' is not supported. It has to be parquet."),
            ("file_format: parquet", "file_format: parquet\n          stored_as: orc", "external has unknown keys: stored_as."),
            ("location: ", "place: ", "external has unknown keys: place."),
            ("name: quantity, data_type: int", "name: quantity, data_type: number", "data_type of column quantity is 'number'"),
            ("name: quantity, data_type: int,", "name: quantity,", "data_type of column quantity is ''"),
        ],
        ids=["format", "unknown key", "misspelt key", "unknown type", "no type"],
    )  # fmt: skip
    def test_a_mistaken_declaration_is_refused_in_one_clear_line(
        self, warehouse, tmp_path, declared, mistaken, message
    ):
        project = shutil.copytree(
            ROOT / "dbt_project", tmp_path / "project", ignore=shutil.ignore_patterns("target", "logs")
        )
        sources = project / "models/staging/sources.yml"
        assert declared in sources.read_text()
        sources.write_text(sources.read_text().replace(declared, mistaken, 1))
        refused = warehouse.dbt("run-operation", "stage_external_sources", project=project)
        assert refused.returncode != 0
        assert message in refused.stdout and "(models/staging/sources.yml)" in refused.stdout

    def test_without_any_file_there_are_empty_tables_to_build_on(self, warehouse):
        assert "(no files yet)" in warehouse.stage_external_sources()
        built = warehouse.dbt("build")
        assert built.returncode == 0, built.stdout

    def test_models_that_are_built_before_say_what_to_run(self, warehouse):
        built = warehouse.dbt("build", "--select", "stg_delivery")
        assert built.returncode != 0
        assert "dbt run-operation stage_external_sources" in built.stdout


@pytest.mark.slow
def test_an_edit_of_a_model_with_metrics_is_picked_up(warehouse, tmp_path):
    """The edit–build–test loop: with partial parsing dbt 1.12.6 stumbles over metrics in an edited YAML."""
    project = shutil.copytree(
        ROOT / "dbt_project", tmp_path / "project", ignore=shutil.ignore_patterns("target", "logs")
    )
    model = project / "models/marts/fact_movie_analytics.yml"
    assert warehouse.dbt("parse", project=project).returncode == 0
    model.write_text(model.read_text().replace("Reviews and money", "Money and reviews", 1))
    parsed = warehouse.dbt("parse", project=project)
    assert parsed.returncode == 0, parsed.stdout


def test_half_a_range_of_days_is_refused(warehouse):
    refused = warehouse.dbt("compile", "--vars", "{from_date: 2021-01-01}", "--select", "stg_delivery")
    assert refused.returncode != 0
    assert "The var to_date is 'None'. Give both days as YYYY-MM-DD" in refused.stdout


def test_the_template_of_profiles_has_the_three_warehouses_and_no_secret():
    text = (ROOT / "profiles_template.yml").read_text()
    for target in ("dev:", "redshift:", "bigquery:"):
        assert f"\n    {target}" in text
    # Every value that a user sets comes from the environment.
    assert not re.search(
        r"^\s+(password|token|keyfile|host|user|project):\s+(?!\"\{\{ env_var)", text, re.MULTILINE
    )
