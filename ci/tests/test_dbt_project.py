"""Rules of the dbt project that a machine can keep: descriptions, contracts, tests, layers."""

import re
from pathlib import Path

import pytest

from ci.tests.staged_sample import ROOT, dbt

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


def test_every_model_with_logic_has_a_unit_test(manifest):
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    # A view of names and types, and an index that is nothing but a union.
    without_logic = {"int_record_day"}
    untested = {
        model["name"]
        for model in [*models(manifest, "intermediate"), *models(manifest, "marts")]
        if model["name"] not in tested | without_logic
    }
    assert untested == set()


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


@pytest.mark.parametrize("target", ["redshift", "bigquery"])
def test_the_project_parses_for_the_other_warehouses(tmp_path, target):
    parsed = dbt(
        "parse", "--no-partial-parse", "--show-all-deprecations", "--warn-error", "--target", target,
        warehouse=tmp_path / "warehouse.duckdb", staging=tmp_path / "staging",
    )  # fmt: skip
    assert parsed.returncode == 0, parsed.stdout


class TestStageExternalSources:
    """dbt run-operation stage_external_sources"""

    def run(self, tmp_path, arguments, **settings):
        settings.setdefault("staging", tmp_path / "staging")
        return dbt(
            "run-operation", "stage_external_sources", "--args", arguments,
            warehouse=tmp_path / "warehouse.duckdb", **settings,
        )  # fmt: skip

    def test_a_dry_run_prints_the_statements_of_the_selected_tables_only(self, tmp_path):
        printed = self.run(tmp_path, "{select: delivery, dry_run: true}")
        assert printed.returncode == 0, printed.stdout
        assert printed.stdout.count("create or replace view") == 1
        assert "analytics_external.delivery as" in printed.stdout
        built = dbt(
            "run", "--select", "stg_delivery",
            warehouse=tmp_path / "warehouse.duckdb", staging=tmp_path / "staging",
        )  # fmt: skip
        assert built.returncode != 0, "a dry run must create nothing"

    def test_an_unknown_table_is_refused_with_the_known_ones(self, tmp_path):
        refused = self.run(tmp_path, "{select: movies}")
        assert refused.returncode != 0
        assert "No external source table is called movies. There are: classified_movie_review, delivery" in (
            refused.stdout
        )

    def test_without_any_file_there_are_empty_tables_to_build_on(self, tmp_path):
        staged = self.run(tmp_path, "{}")
        assert "(no files yet)" in staged.stdout
        built = dbt("build", warehouse=tmp_path / "warehouse.duckdb", staging=tmp_path / "staging")
        assert built.returncode == 0, built.stdout

    def test_models_that_are_built_before_say_what_to_run(self, tmp_path):
        built = dbt(
            "build", "--select", "stg_delivery",
            warehouse=tmp_path / "warehouse.duckdb", staging=tmp_path / "staging",
        )  # fmt: skip
        assert built.returncode != 0
        assert "dbt run-operation stage_external_sources" in built.stdout


def test_half_a_range_of_days_is_refused(tmp_path):
    refused = dbt(
        "compile", "--vars", "{from_date: 2021-01-01}", "--select", "stg_delivery",
        warehouse=tmp_path / "warehouse.duckdb", staging=tmp_path / "staging",
    )  # fmt: skip
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
