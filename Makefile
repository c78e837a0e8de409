# The project's commands; `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-fast test-warehouses lint docs locks clean

UV_VERSION := 0.13.8
BIN := $(CURDIR)/.venv/bin
# Its own uv where there is none.
UV := $(or $(shell command -v uv),$(CURDIR)/.uv/bin/uv)

# Relative folders start here, also for dbt, which runs in dbt_project.
absolute = $(if $(findstring ://,$(1)),$(1),$(abspath $(1)))
$(foreach setting,RAW_URI STAGING_URI QUARANTINE_URI DUCKDB_PATH,\
  $(if $($(setting)),$(eval export $(setting) := $(call absolute,$($(setting))))))

export DBT_PROFILES_DIR ?= $(CURDIR)/dbt_project

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/synced dbt_project/profiles.yml ## Install what the project needs into .venv (everything else does it by itself).

demo: setup ## Sample feeds through the whole pipeline: a few days, tested marts, docs.
	@$(BIN)/python -m ci.demo

run: setup ## DATE=2021-01-31, or FROM=2021-01-01 TO=2021-01-31: your own files and database (settings: .env.example).
	@$(if $(or $(DATE),$(and $(FROM),$(TO))),,echo "error: say which day: make run DATE=YYYY-MM-DD, or FROM=YYYY-MM-DD TO=YYYY-MM-DD" >&2; exit 2)
	@if [ "$${DBT_TARGET:-dev}" = dev ]; then \
	  [ -n "$${DUCKDB_PATH:-}" ] || { echo "error: DUCKDB_PATH is not set: the DuckDB file of the warehouse (see .env.example)" >&2; exit 2; }; \
	  mkdir -p "$$(dirname "$$DUCKDB_PATH")"; \
	fi
	@$(BIN)/python -m spark_prep.prepare_staging $(if $(DATE),--date $(DATE),--from $(FROM) --to $(TO))
	@echo && echo "building the marts with dbt (log: dbt_project/logs/dbt.log)"
	@cd dbt_project && $(BIN)/dbt --quiet run-operation stage_external_sources
	@cd dbt_project && $(BIN)/dbt --quiet build --exclude-resource-type unit_test \
	  --vars '{from_date: "$(or $(DATE),$(FROM))", to_date: "$(or $(DATE),$(TO))"}'

test: setup lint ## All tests.
	@$(BIN)/python -m pytest

test-fast: setup ## The tests that take seconds.
	@$(BIN)/python -m pytest -m "not slow"

test-warehouses: setup ## The dbt project on DuckDB and on stand-ins of Redshift and BigQuery, row for row.
	@$(BIN)/python -m pytest ci/tests/test_warehouses.py ci/tests/test_redshift_stand_in.py ci/tests/test_bigquery_stand_in.py

lint: setup ## Style and common mistakes, Python and SQL.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@cd dbt_project && $(BIN)/sqlfluff lint --processes 1 --disable-progress-bar models tests analyses

docs: setup ## The dbt docs site as one file; after make demo or with the settings of make run.
	@cd dbt_project && $(BIN)/dbt --quiet docs generate --static
	@echo "docs        dbt_project/target/static_index.html"

locks: $(UV) ## Compile the exact pins with hashes of each environment anew.
	@for environment in "dev --extra spark --extra dbt --extra dev" "airflow --extra airflow" "report --extra report"; do \
	  set -- $$environment; name=$$1; shift; \
	  $(UV) pip compile pyproject.toml --universal --python-version 3.11 "$$@" --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make locks" --quiet --upgrade --output-file ci/locks/$$name.txt; \
	done

clean: ## Remove everything that was built (not your data).
	@rm -rf .venv .uv data/demo dbt_project/target dbt_project/logs dbt_project/profiles.yml .pytest_cache .ruff_cache

.venv/synced: ci/locks/dev.txt ci/check_machine.sh | $(UV)
	@ci/check_machine.sh
	@echo "Installing into .venv (the first time takes some minutes: Spark is large) …"
	@[ -x .venv/bin/python ] || $(UV) venv --quiet --no-python-downloads --python "$$(ci/check_machine.sh python)" .venv
	@$(UV) pip sync --quiet --python .venv/bin/python --require-hashes ci/locks/dev.txt
	@touch $@

dbt_project/profiles.yml: profiles_template.yml
	@cp $< $@
	@mkdir -p data/demo

$(CURDIR)/.uv/bin/uv:
	@"$$(ci/check_machine.sh python)" -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
