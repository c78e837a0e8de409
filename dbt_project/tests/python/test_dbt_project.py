"""Rules of the dbt project that a machine can keep: descriptions, contracts, tests, layers."""

import csv
import json
import os
import re
from pathlib import Path

import pytest
import yaml

from ci import resident
from ci.staged_sample import ROOT, Warehouse
from pages.docs_site.build import PERSONAL_DATA

# From left to right: each reads itself and what is left of it (models/README.md).
LAYERS = ("staging", "intermediate", "dimensional", "customers")
# The folder is the layer; the schema is for whom, and names tell it.
PREFIXES = {
    "staging": "stg_",
    "intermediate": "int_",
    "marts": ("dim_", "fact_", "user_", "customer_", "movie_", "ledger"),
    "history": "user_",
}


def models(manifest, schema=None) -> list[dict]:
    return [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and schema in (None, node["config"]["schema"])
    ]


def layer_of(node) -> str:
    return Path(node["path"]).parts[0] if node["resource_type"] == "model" else node["resource_type"]


def test_a_layer_reads_only_layers_to_its_left(manifest):
    places = {
        **dict.fromkeys(("source", "seed"), 0),
        **{layer: place for place, layer in enumerate(LAYERS, start=1)},
        **dict.fromkeys(("snapshot", "exposure"), len(LAYERS) + 1),
    }
    nodes = {**manifest["sources"], **manifest["nodes"], **manifest["exposures"]}
    backwards = [
        f"{node['name']} ({layer_of(node)}) reads {nodes[parent]['name']} ({layer_of(nodes[parent])})"
        for node in nodes.values()
        if layer_of(node) in places
        for parent in node.get("depends_on", {}).get("nodes", [])
        if places[layer_of(nodes[parent])] > places[layer_of(node)]
    ]
    assert backwards == []
    assert {layer_of(model) for model in models(manifest)} == set(LAYERS)


def test_the_days_that_a_model_reads_are_those_that_its_strategy_replaces(manifest):
    """The strategy is said in dbt_project.yml alone; a model's unit tests do not see it, so its predicates name the days."""
    predicates = {
        "replace_days_of_run": {"is_day_of_run"},
        "replace_days_to_build": {"is_day_to_build"},
        "merge": {"is_day_of_run"},
        # Their inputs have customers (the test below).
        "replace_customers": set(),
        "replace_active_days": set(),
        "replace_invoices": set(),
        # Months to build are looked up: an input has one row for each.
        "replace_months_to_build": set(),
        # The months that stay are asked for.
        "replace_cohort_months": set(),
    }
    incremental = [model for model in models(manifest) if model["config"]["materialized"] == "incremental"]
    assert len(incremental) >= 10
    for model in incremental:
        used = set(re.findall(r"\b(is_day_of_run|is_day_to_build)\(", model["raw_code"]))
        assert used == predicates[model["config"]["incremental_strategy"]], model["name"]
        assert "incremental_strategy" not in model["raw_code"], model["name"]


def test_a_state_reads_the_customers_that_it_replaces_and_no_others(manifest):
    states = {
        model["name"]
        for model in models(manifest)
        if model["config"].get("incremental_strategy")
        in ("replace_customers", "replace_active_days", "replace_invoices")
    }
    touched = {"int_touched_line", "int_touched_review", "int_touched_invoice"}
    without_customers = re.compile(r"dim_[a-z]+")
    assert len(states) == 7
    for model in models(manifest):
        if model["name"] in states | touched:
            read = set(re.findall(r"ref\('(\w+)'\)", model["raw_code"])) - touched
            read = {name for name in read if not without_customers.fullmatch(name)}
            filtered = re.findall(
                r"ref\('(\w+)'\) \}\}\n +where [^\n]*\{\{ is_customer_touched\(", model["raw_code"]
            )
            # Of these it reads all, or nothing: int_customer_invoice is only written after segments and cohorts.
            read -= {
                "int_as_of_date",
                "non_product_code",
                "user_segment_history",
                "customer_cohort_retention",
            }
            assert read == set(filtered), model["name"]
            assert model["name"] in states | {"int_touched_invoice"} or filtered, model["name"]


def test_what_profiles_were_made_from_is_copied_after_every_state(manifest):
    """Otherwise a build that dies in between leaves a state as it was, and finds no customer touched when it is repeated."""
    seen: set[str] = set()
    waiting = ["model.movie_analytics.int_customer_day_profiled"]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += manifest["nodes"].get(node, {}).get("depends_on", {}).get("nodes", [])
    states = {
        model["unique_id"]
        for model in models(manifest)
        if re.fullmatch(
            "replace_(customers|active_days|invoices|months_to_build|cohort_months)",
            model["config"].get("incremental_strategy") or "",
        )
    }
    assert len(states) == 9 and states <= seen


def test_everything_is_described(manifest):
    """Tables with their columns, tests, metrics, exposures, and the macros that models and commands call."""
    nodes = [
        *manifest["sources"].values(),
        # Hooks have no place for a description.
        *(node for node in manifest["nodes"].values() if node["resource_type"] != "operation"),
        *manifest["metrics"].values(),
        *manifest["exposures"].values(),
        *manifest["unit_tests"].values(),
        *public_macros(manifest),
    ]
    undescribed = [node["unique_id"] for node in nodes if not text(node)]
    undescribed += [
        f"{node['unique_id']}.{column['name']}"
        for node in nodes
        for column in node.get("columns", {}).values()
        if not text(column)
    ]
    assert undescribed == []


def text(node) -> str:
    return (node["description"] or "").strip()


def public_macros(manifest) -> list[dict]:
    """What nodes of the project call themselves, and what a file is named after; not a macro's warehouses (__)."""
    called = {macro for node in manifest["nodes"].values() for macro in node["depends_on"].get("macros", [])}
    return [
        macro
        for macro in manifest["macros"].values()
        if macro["package_name"] == "movie_analytics"
        and "__" not in macro["name"]
        and (macro["unique_id"] in called or macro["name"] == Path(macro["path"]).stem)
    ]


def test_no_comma_cuts_a_text_in_two():
    """`{description: Of tests that ran, how many}` is a description and a key; dbt-core drops the key silently."""
    keys = [
        f"{file.name}: {key}"
        for file in (ROOT / "dbt_project").rglob("*.yml")
        if "target" not in file.parts
        for key in keys_of(yaml.safe_load(file.read_text()))
        if " " in str(key)
    ]
    assert keys == []


def keys_of(value) -> list:
    """The keys of all mappings in a parsed YAML."""
    if isinstance(value, dict):
        return [*value, *(key for each in value.values() for key in keys_of(each))]
    return [key for each in value for key in keys_of(each)] if isinstance(value, list) else []


def test_personal_data_is_marked_in_the_metadata_and_in_the_text(manifest):
    """A column that is personal data in one table is so in all, and its description starts with the badge. What is derived is that where
    it stands beside no customer for those who read it: in a profile every column tells of the person."""
    columns = [
        (node["name"], column)
        for node in [*manifest["sources"].values(), *manifest["nodes"].values()]
        for column in node.get("columns", {}).values()
    ]
    personal = {
        column["name"]
        for _, column in columns
        if column["config"]["meta"].get("personal_data") in ("identifier", "pseudonym")
    }
    assert personal >= {"customer_id", "ip", "phone_number"}
    for table, column in columns:
        kind = column["config"]["meta"].get("personal_data")
        badge = re.match(r"PII: (\w+)\. ", column["description"])
        assert kind == (badge and badge[1]), f"{table}.{column['name']}"
        assert (kind not in (None, "derived")) == (column["name"] in personal), f"{table}.{column['name']}"
        assert kind in (None, *PERSONAL_DATA), f"{table}.{column['name']}"


def test_the_overview_names_every_mart_and_every_layer_and_how_good_the_classifier_is(manifest):
    overview = manifest["docs"]["doc.movie_analytics.__overview__"]["block_contents"]
    missing = [model["name"] for model in models(manifest, "marts") if f"`{model['name']}`" not in overview]
    assert missing == [], "a mart without its grain in models/docs/overview.md"
    assert all(f"`{layer}`" in overview for layer in LAYERS)
    assert "49.7 %" in overview


def test_each_layer_has_a_colour_of_its_own(manifest):
    colors: dict[str, set[str]] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] in ("model", "seed", "snapshot"):
            colors.setdefault(layer_of(node), set()).add(node["config"]["docs"]["node_color"])
    assert all(len(found) == 1 and found != {None} for found in colors.values()), colors
    assert len(set.union(*colors.values())) == len(colors), colors


@pytest.mark.slow
def test_every_column_of_a_model_is_in_its_yaml(manifest, built):
    """The columns that the warehouse has and no one has described."""
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


def test_the_grain_of_every_model_is_a_tested_key(manifest):
    """Of one column (unique) or several (unique_together). The exceptions have a reason in the evaluator's file."""
    keyed = {
        test["attached_node"]
        for test in manifest["nodes"].values()
        if (test.get("test_metadata") or {}).get("name") in ("unique", "unique_together")
    }
    with (ROOT / "ci/project_evaluator/exceptions.csv").open() as file:
        exceptions = list(csv.DictReader(file))
    keyless = {
        row["id_to_exclude"] for row in exceptions if row["fct_name"] == "fct_missing_primary_key_tests"
    }
    assert {model["name"] for model in models(manifest) if model["unique_id"] not in keyed} == keyless
    assert all(row["comment"].endswith(".") for row in exceptions)


def test_the_description_of_every_model_tells_its_grain(manifest):
    grain = re.compile(r"\bone row\b|\ba single row\b|\bone for unknown\b", re.IGNORECASE)
    assert [model["name"] for model in models(manifest) if not grain.search(model["description"])] == []


def test_every_model_behind_staging_has_a_unit_test(manifest):
    """Staging is views of names and types, and a copy has nothing to compute."""
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    untested = {
        model["name"]
        for model in [*models(manifest, "intermediate"), *models(manifest, "marts")]
        if model["name"] not in tested
    }
    assert untested == {"int_customer_day_profiled", "int_customer_invoice", "int_name_profiled"}


def test_every_exposure_has_an_owner_and_rests_on_public_marts_and_sources(manifest):
    public = {model["unique_id"] for model in models(manifest, "marts")} | manifest["sources"].keys()
    # what each classifier is worth, which people write (decision 16)
    public.add("seed.movie_analytics.measured_classifier")
    assert manifest["exposures"]
    for exposure in manifest["exposures"].values():
        assert exposure["description"].strip() and exposure["owner"]["email"], exposure["name"]
        assert set(exposure["depends_on"]["nodes"]) <= public, exposure["name"]


@pytest.mark.parametrize("schema", PREFIXES)
def test_names_tell_the_schema(manifest, schema):
    assert {model["config"]["schema"] for model in models(manifest)} == set(PREFIXES)
    for model in models(manifest, schema):
        assert model["name"].startswith(PREFIXES[schema])
        assert model["schema"] == f"analytics_{schema}"


def test_only_staging_reads_sources_and_each_source_has_one_reader(manifest):
    readers: dict[str, list[str]] = {}
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


def test_what_somebody_typed_becomes_a_literal_in_one_place():
    """dbt's own macro leaves backslashes, with which a text of Redshift or BigQuery ends somewhere else."""
    sql = {file: file.read_text() for file in (ROOT / "dbt_project").glob("m*/**/*.sql")}
    assert len(sql) > 100
    assert [
        file.name for file, text in sql.items() if "escape_single_quotes" in text and file.stem != "quoted"
    ] == []


@pytest.fixture
def warehouse(tmp_path, shared_folder) -> Warehouse:
    """Nothing is staged and nothing is built."""
    return Warehouse(tmp_path, shared_folder / "nothing_staged")


@pytest.mark.slow
def test_the_manifest_does_not_depend_on_the_days_and_caps_of_a_run(warehouse, tmp_path):
    """Airflow builds any day with one manifest, and so do these tests (ci/resident.py)."""
    parsed = []
    for days, variables in (
        (None, {}),
        (("2021-01-01", "2021-01-02"), {"bytes_per_day_warn": 1, "bytes_per_day_fail": 2}),
        (None, {"as_of_date": "2021-01-01"}),
    ):
        warehouse.vars = variables
        finished = warehouse.dbt("parse", "--no-partial-parse", days=days)
        assert finished.returncode == 0, finished.stdout
        manifest = json.loads((tmp_path / "target/manifest.json").read_text())
        del manifest["metadata"]
        for node in manifest["nodes"].values():
            if node["resource_type"] == "model":
                # Which macros a parse met on its way. A model may call all of them.
                del node["depends_on"]["macros"]
        parsed.append(without_times(manifest))
    assert parsed[0] == parsed[1] == parsed[2]


def without_times(node):
    """A part of the manifest without the times at which dbt read it."""
    if isinstance(node, dict):
        return {name: without_times(value) for name, value in node.items() if name != "created_at"}
    return [without_times(value) for value in node] if isinstance(node, list) else node


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
        assert '"analytics_external"."delivery" as' in printed.stdout
        assert warehouse.columns("analytics_external", "delivery") == set(), "a dry run must create nothing"

    def test_without_a_setting_the_staging_layer_of_the_demo_is_read(self, warehouse, monkeypatch):
        """A relative location starts in the project's folder, whose path dbt's own `flags` does not give."""
        monkeypatch.delenv("STAGING_URI", raising=False)
        del warehouse.settings["STAGING_URI"]
        printed = self.run(warehouse, "{select: delivery}")
        assert f"{ROOT}/dbt_project/../data/demo/staging/delivery" in printed.stdout

    @pytest.mark.parametrize(
        "name", ["s'); create table pwned as select 1; --", "st[1]*x", "st?", "a\\b", "{a,b}"]
    )
    def test_a_place_that_means_something_in_a_statement_is_refused(self, warehouse, tmp_path, name):
        """A wildcard would find no files, and an empty warehouse would be built."""
        warehouse.settings["STAGING_URI"] = f"{tmp_path}/{name}/staging"
        refused = self.run(warehouse, "{select: delivery}")
        assert refused.returncode != 0
        assert (
            "the location (STAGING_URI) is " in refused.stdout and "Give one without quotes" in refused.stdout
        )
        assert warehouse.query("select count(*) from duckdb_tables()") == [(0,)]

    def test_an_unknown_table_is_refused_with_the_known_ones(self, warehouse):
        refused = self.run(warehouse, "{select: movies}")
        assert refused.returncode != 0
        assert "No external source table is called movies. There are: classified_movie_review, delivery" in (
            refused.stdout
        )

    @pytest.mark.slow
    def test_a_mistaken_declaration_is_refused_in_one_clear_line(self, warehouse, own_project):
        """One after the other: of a project that it knows dbt parses only what changed."""
        sources = own_project / "models/staging/sources.yml"
        right = sources.read_text()
        for declared, mistaken, message in (
            ("file_format: parquet", "file_format: csv", "file_format 'csv' is not supported. It has to be parquet."),
            ("file_format: parquet", "file_format: parquet\n          stored_as: orc", "external has unknown keys: stored_as."),
            ("location: ", "place: ", "external has unknown keys: place."),
            ("name: quantity, data_type: int", "name: quantity, data_type: number", "data_type of column quantity is 'number'"),
            ("name: quantity, data_type: int,", "name: quantity,", "data_type of column quantity is ''"),
        ):  # fmt: skip
            assert declared in right
            sources.write_text(right.replace(declared, mistaken, 1))
            refused = warehouse.dbt("run-operation", "stage_external_sources", project=own_project)
            assert refused.returncode != 0, mistaken
            assert message in refused.stdout and "(models/staging/sources.yml)" in refused.stdout

    def test_without_any_file_there_are_empty_tables_to_build_on(self, warehouse):
        built = warehouse.dbt("build")
        assert built.returncode == 0, built.stdout
        assert built.stdout.count("(no files yet)") == 6


@pytest.mark.slow
def test_days_by_the_environment_need_no_other_parse(warehouse):
    """What schedulers do: vars that differ make dbt parse the whole project again."""
    read_at = []
    for day in ("2021-01-01", "2021-01-02"):
        settings = os.environ | warehouse.settings | {"DBT_FROM_DATE": day, "DBT_TO_DATE": day}
        settings |= {
            "DBT_PROFILES_DIR": str(warehouse.folder),
            "DBT_LOG_PATH": str(warehouse.folder / "logs"),
        }
        settings |= {"DBT_TARGET_PATH": str(warehouse.folder / "target")}
        # dbt itself, not the parse that tests share
        arguments = ["run", "--select", "stg_delivery"]
        ran = resident.dbt(arguments, cwd=ROOT / "dbt_project", environment=settings, parsed=None)
        assert ran.returncode == 0, ran.stdout
        nodes = json.loads((warehouse.folder / "target/manifest.json").read_text())["nodes"]
        read_at.append({name: node["created_at"] for name, node in nodes.items()})
    assert read_at[0] == read_at[1] and len(read_at[0]) > 100
    days = "select from_date, to_date from analytics_audit.run_result order by run_started_at"
    assert [[str(day) for day in row] for row in warehouse.query(days)] == [
        ["2021-01-01"] * 2,
        ["2021-01-02"] * 2,
    ]


@pytest.mark.slow
def test_half_a_range_by_the_environment_is_refused(warehouse):
    warehouse.settings |= {"DBT_FROM_DATE": "2021-01-01"}
    refused = warehouse.dbt("run", "--select", "stg_delivery")
    assert refused.returncode != 0 and "to_date is 'None'" in refused.stdout


@pytest.mark.slow
def test_an_edit_of_a_model_with_metrics_is_parsed_partially(warehouse, own_project):
    """The edit–build–test loop: only the edited file is parsed again, and all metrics are there, once, as edited."""
    edits = {"Reviews and money": "Money and reviews", "review_count / reviewers": "reviews / reviewers"}
    model = own_project / "models/dimensional/fact_movie_analytics.yml"
    target = warehouse.folder / "target"
    first = warehouse.dbt("parse", project=own_project)
    assert first.returncode == 0, first.stdout
    metrics = json.loads((target / "manifest.json").read_text())["metrics"]
    for before, after in edits.items():
        assert before in model.read_text()
        model.write_text(model.read_text().replace(before, after, 1))
    parsed = warehouse.dbt("parse", project=own_project)
    assert parsed.returncode == 0, parsed.stdout
    assert json.loads((target / "perf_info.json").read_text())["parsed_path_count"] < 50  # of 270
    manifest = json.loads((target / "manifest.json").read_text())
    assert manifest["metrics"].keys() == metrics.keys() and len(metrics) == 20
    texts = json.dumps([*manifest["nodes"].values(), *manifest["metrics"].values()])
    assert all(after in texts for after in edits.values())


class TestSchemas:
    """generate_schema_name, in a copy of the project."""

    def test_models_of_a_package_lie_where_dbt_puts_them(self, warehouse, own_project, tmp_path):
        package = tmp_path / "package"
        (package / "models").mkdir(parents=True)
        (package / "dbt_project.yml").write_text("name: some_package\nversion: 1.0.0\n")
        (package / "models/plain.sql").write_text("select 1 as n")
        (package / "models/named.sql").write_text("{{ config(schema='own') }} select 1 as n")
        (own_project / "packages.yml").write_text("packages: [{local: ../package}]\n")
        for command in ("deps", "parse"):
            finished = warehouse.dbt(command, project=own_project)
            assert finished.returncode == 0, finished.stdout
        nodes = json.loads((warehouse.folder / "target/manifest.json").read_text())["nodes"]
        assert nodes["model.some_package.plain"]["schema"] == "analytics"
        assert nodes["model.some_package.named"]["schema"] == "analytics_own"

    def test_a_model_of_the_project_names_its_layer(self, warehouse, own_project):
        (own_project / "models/lost.sql").write_text("select 1 as n")
        parsed = warehouse.dbt("parse", project=own_project)
        assert parsed.returncode != 0
        assert "lost has no schema: put it into a folder to which dbt_project.yml gives one" in parsed.stdout


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
