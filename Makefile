# The project's commands; `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo run erase rekey replay rejected train verify check-cloud test test-python test-newer-spark test-fast test-faults test-warehouses test-airflow test-airflow-scheduler test-airflow-tasks \
  test-airflow-long test-airflow-gcp test-terraform test-apply test-site browser lint sbom audit evaluate \
  docs docs-serve report export diff screenshots bench airflow backfill rerun airflow-setup airflow-manifest spark-package sample-day deploy destroy locks clean

UV_VERSION := 0.13.8
BIN := $(CURDIR)/.venv/bin
AIRFLOW_BIN := $(CURDIR)/.venv-airflow/bin
DAG_FILES := $(wildcard airflow/dags/*.py airflow/dags/pipeline/*.py airflow/plugins/*.py)
# Tests of one running Airflow, in this order: the last one erases a customer.
LIVE_AIRFLOW := $(addprefix airflow/tests/test_,scheduler.py operator.py erasure.py)
# Two files of tests at a time, in the order of ci/fixtures.py.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
# Its manifest is not dbt-core's. The settings are never used, but it wants some; it would check the metrics online.
DBT2 := cd $(CURDIR)/dbt_project && REDSHIFT_HOST=none BIGQUERY_PROJECT=none DBT_ENGINE_NO_WARN_SEMANTIC_MANIFEST_VALIDATION=1 \
  $(CURDIR)/.venv-dbt2/bin/dbt --quiet --no-version-check --target-path target/dbt2 --log-path target/dbt2
# What is given to make (DATE=…) goes to a command as "$$DATE", by the environment: pasted into a recipe it would be shell.
# Its own uv where there is none.
UV := $(or $(shell command -v uv),$(CURDIR)/.uv/bin/uv)

# Relative folders start here, also for dbt, which runs in dbt_project. By the shell: make's own functions cut a path at blanks.
absolute = $(shell place='$(subst ','\'',$(value $(1)))'; \
  if [[ "$$place" == file:* ]]; then printf /%s "$$(sed 's,^file:/*,,' <<< "$$place")"; \
  elif [[ "$$place" == '~'/* ]]; then printf %s "$$HOME/$${place:2}"; \
  elif [[ "$$place" == *:/* || "$$place" == /* ]]; then printf %s "$$place"; else printf %s "$$PWD/$$place"; fi)
$(foreach setting,RAW_URI STAGING_URI QUARANTINE_URI DUCKDB_PATH MODEL_URI GOOD_WORDS STOP_WORDS LEXICON,\
  $(if $(value $(setting)),$(eval override export $(setting) := $$(call absolute,$(setting)))))

export DBT_PROFILES_DIR ?= $(CURDIR)/dbt_project

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/synced dbt_project/profiles.yml ## Install what the project needs into .venv (what needs it does this automatically).

demo: setup ## Sample feeds through the whole pipeline: a few days, tested marts, report, docs.
	@$(BIN)/python -m demo.pipeline

# Else what belongs to your own warehouse would be done to the demo's.
needs_warehouse = if [ "$${DBT_TARGET:-dev}" = dev ]; then \
	  [ -n "$${DUCKDB_PATH:-}" ] || { echo "error: DUCKDB_PATH is not set: the DuckDB file of the warehouse (see .env.example)" >&2; exit 2; }; \
	  mkdir -p "$$(dirname "$$DUCKDB_PATH")"; \
	fi

run: setup ## DATE=2021-01-31, or FROM=2021-01-01 TO=2021-01-31: your own files and database (settings: .env.example).
	@$(if $(DATE)$(and $(FROM),$(TO)),,echo "error: say which day: make run DATE=YYYY-MM-DD, or FROM=YYYY-MM-DD TO=YYYY-MM-DD" >&2; exit 2)
	@$(needs_warehouse)
	@$(BIN)/python -m spark_prep.prepare_staging $(if $(DATE),--date "$$DATE",--from "$$FROM" --to "$$TO")
	@echo && echo "building the marts with dbt (log: dbt_project/logs/dbt.log)"
	@cd dbt_project && DBT_FROM_DATE="$(if $(DATE),$$DATE,$$FROM)" DBT_TO_DATE="$(if $(DATE),$$DATE,$$TO)" \
	  $(BIN)/dbt --quiet build --exclude-resource-type unit_test

train: setup ## REVIEWS=… LABELS=… MODEL=…: a classifier from your labelled reviews, with a card that says how often it is right; BLOCKS_BY=… NOTE=….
	@$(if $(and $(REVIEWS),$(LABELS),$(MODEL)),,echo "error: say from what: make train REVIEWS=FILE LABELS=FILE MODEL=FOLDER" >&2; exit 2)
	@$(BIN)/python -m spark_prep.reviews.train --reviews "$$REVIEWS" --labels "$$LABELS" --model "$$MODEL" $(if $(BLOCKS_BY),--blocks-by "$$BLOCKS_BY") $(if $(NOTE),--note "$$NOTE")

verify: setup ## All data tests on the whole warehouse: a run tests the days that it builds (after make demo or with its settings).
	@cd dbt_project && $(BIN)/dbt test --exclude-resource-type unit_test

# The days that a command has named in the last line of $$printed, if any.
build_printed_days = days=$$(tail -n 1 "$$printed") && if [ "$$days" != "DBT_FROM_DATE= DBT_TO_DATE=" ]; then \
	    echo "building these days again with dbt (log: dbt_project/logs/dbt.log)" && \
	    (cd dbt_project && env $$days $(BIN)/dbt --quiet build --exclude-resource-type unit_test); \
	  fi

erase: setup ## CUSTOMER=12346: what staging, quarantine and the warehouse hold of a customer; YES=1 erases it and keeps them out.
	@$(if $(CUSTOMER),,echo "error: say whom: make erase CUSTOMER=12346, and YES=1 to do it" >&2; exit 2)
	@$(needs_warehouse)
	@# The id goes by the environment, and to no log: dbt's has every statement, its artefacts every argument.
	@printed=$$(mktemp) && trap 'rm -f "$$printed"' EXIT && export ERASE_CUSTOMER="$$CUSTOMER" && \
	$(BIN)/python -m spark_prep.erasure.erase_customer $(if $(YES),--yes) | tee "$$printed" && \
	if [ -n "$(if $(YES),yes)" ]; then $(build_printed_days); fi && \
	cd dbt_project && $(BIN)/dbt --quiet --log-level-file none run-operation erase_customer $(if $(YES),--args "{confirmed: true}")

rekey: setup ## After a new PSEUDONYM_SECRET and _KEY_VERSION: which logs have an earlier key's pseudonyms; YES=1 stages and builds them again, removes the old.
	@$(needs_warehouse)
	@printed=$$(mktemp) && trap 'rm -f "$$printed"' EXIT && \
	$(BIN)/python -m spark_prep.logs.rekey_logs $(if $(YES),--stage) | tee "$$printed" && \
	if [ -n "$(if $(YES),yes)" ]; then \
	  $(build_printed_days) && \
	  $(BIN)/python -m spark_prep.logs.rekey_logs --remove; \
	fi

replay: setup ## DATE=2021-01-31 TABLE=review_logs: takes back rejected records after a rule was mended; REASON=… only those. Then the marts.
	@$(if $(and $(DATE),$(TABLE)),,echo "error: say what: make replay DATE=YYYY-MM-DD TABLE=review_logs" >&2; exit 2)
	@$(needs_warehouse)
	@$(BIN)/python -m spark_prep.replay_day --date "$$DATE" --table "$$TABLE" $(if $(REASON),--reason "$$REASON")
	@echo && echo "building the day again with dbt (log: dbt_project/logs/dbt.log)"
	@cd dbt_project && DBT_FROM_DATE="$$DATE" DBT_TO_DATE="$$DATE" $(BIN)/dbt --quiet build --exclude-resource-type unit_test

rejected: setup ## DATE=2021-01-31 TABLE=review_logs: shows rejected records as they were delivered, and records who read them; REASON=… ID=… only those.
	@$(if $(and $(DATE),$(TABLE)),,echo "error: say what: make rejected DATE=YYYY-MM-DD TABLE=review_logs" >&2; exit 2)
	@$(BIN)/python -m spark_prep.read_rejected --date "$$DATE" --table "$$TABLE" $(if $(REASON),--reason "$$REASON") $(if $(ID),--id "$$ID")

test: setup .venv-airflow/synced ## All tests, part by part; what failed and how long each took is reported at the end.
	@$(BIN)/python -m ci.parts lint test-python test-newer-spark test-airflow test-terraform

test-python: setup browser ## The tests of everything but Airflow and Terraform.
	@$(PYTEST)

test-newer-spark: setup .spark41/synced ## The tests of the Spark jobs on Spark 4.1, with the oldest libraries that they run with.
	@PYTHONPATH="$(CURDIR)/.spark41" $(PYTEST) $(addprefix spark_prep/tests/test_,$(addsuffix .py,\
	  stage_feed classify_reviews model train parse_logs review_log csv_records pieces pseudonyms submit))

test-fast: setup ## The tests that take seconds.
	@$(PYTEST) -m "not slow"

test-faults: setup ## Kills, two runs at once, readers, a shop or store that goes away, a full disk, ten years of days: ROUNDS=… SEED=… PUBLISH=1; some in make test.
	@$(BIN)/python -m ci.faults $(if $(ROUNDS),--rounds "$$ROUNDS") $(if $(SEED),--seed "$$SEED") $(if $(PUBLISH),--publish)

test-warehouses: setup ## The dbt project on DuckDB and on stand-ins of Redshift and BigQuery, row for row.
	@$(BIN)/python -m pytest dbt_project/tests/python/test_warehouses.py ci/stand_ins/tests

check-cloud: setup ## TARGET=redshift|bigquery STAGING_URI=… READER=…: the project on a real account; says what it costs before it begins.
	@$(if $(and $(TARGET),$(STAGING_URI)),,echo "error: say where: make check-cloud TARGET=redshift|bigquery STAGING_URI=…" >&2; exit 2)
	@$(BIN)/python -m ci.check_cloud "$$TARGET" "$$STAGING_URI" $(if $(READER),--reader "$$READER") $(if $(YES),--yes)

test-airflow: airflow-manifest .venv-airflow-gcp/synced ## The DAGs: conventions, real runs, cloud operators against stand-ins.
	@# Two at a time, the longest first; a red one keeps none of the others from running.
	@$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target test-airflow-scheduler test-airflow-tasks test-airflow-gcp

test-airflow-scheduler:
	@# They follow each other on one Airflow: after a red one the others would wait for what it left undone.
	@$(AIRFLOW_BIN)/python -m pytest --exitfirst $(LIVE_AIRFLOW)

test-airflow-tasks:
	@$(AIRFLOW_BIN)/python -m pytest airflow/tests $(addprefix --ignore ,$(LIVE_AIRFLOW)) -m "not gcp"

test-airflow-long: airflow-manifest ## All that an operator may do to a day, in full, on a running Airflow; more than an hour.
	@$(AIRFLOW_BIN)/python -m pytest --exitfirst airflow/tests/test_operator.py --long

test-airflow-gcp:
	@.venv-airflow-gcp/bin/python -m pytest airflow/tests -m gcp

test-terraform: .venv-terraform/synced ## The platform's Terraform, both clouds, and the supply chain: no account, no network.
	@.venv-terraform/bin/python -m pytest -c terraform/tests/pytest.ini terraform/tests ci/supply_chain/tests

test-apply: .venv-terraform/synced ## AWS on an emulator, in both modes: applied, applied again, destroyed, applied once more; some minutes.
	@.venv-terraform/bin/python -m pytest --emulator --timeout 1800 terraform/tests/test_aws_*.py terraform/tests/test_apply.py

test-site: setup browser ## The docs site and the report in a real browser (Chromium, headless) with the network cut.
	@$(BIN)/python -m pytest pages/tests/test_site.py pages/tests/test_report_site.py pages/tests/test_explore.py

screenshots: airflow-manifest browser ## The README's pictures, into docs/images: after make demo; Airflow's takes some minutes.
	@$(BIN)/python -m demo.screenshots docs/images

bench: setup ## Staging beside the usual ways, dbt's day after many: time, CPU, memory; SIZE=… ROUNDS=… FEEDS=… HISTORIES=… PUBLISH=1.
	@$(BIN)/python -m ci.benchmarks $(if $(SIZE),--size "$$SIZE") $(if $(ROUNDS),--rounds "$$ROUNDS") $(if $(FEEDS),--feeds $$FEEDS) \
	  $(if $(HISTORIES),--histories $$HISTORIES) $(if $(PUBLISH),--publish)

browser:
	@pages/tests/install_chromium.sh

lint: setup .venv-dbt2/synced ## Style and common mistakes, Python and SQL; types; dbt 2 parses the project as well.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy .
	@[ -x $(AIRFLOW_BIN)/python ] || echo "no .venv-airflow here (make airflow-setup): the types of the DAGs are not checked"
	@[ ! -x $(AIRFLOW_BIN)/python ] || $(BIN)/mypy --python-executable $(AIRFLOW_BIN)/python --cache-dir .mypy_cache/airflow $(DAG_FILES)
	@cd dbt_project && $(BIN)/sqlfluff lint --processes 1 --disable-progress-bar models tests/*.sql analyses
	@[ -x .venv-dbt2/bin/dbt ] || echo "dbt 2 cannot be installed here: the project is not parsed with it"
	@for target in $$([ ! -x .venv-dbt2/bin/dbt ] || echo dev redshift bigquery); do $(DBT2) parse --warn-error --target $$target; done

sbom: .venv-terraform/synced ## What each environment is made of, as CycloneDX, and the licences, into dist/sbom.
	@.venv-terraform/bin/python -m ci.supply_chain sbom dist/sbom

audit: .venv-terraform/synced ## Known vulnerabilities of the locks; OSV_DATABASE=… names the database's file.
	@.venv-terraform/bin/python -m ci.supply_chain audit

evaluate: setup ## dbt-project-evaluator's rules on the dbt project; its package comes from dbt's hub.
	@$(BIN)/python -m ci.project_evaluator

docs: setup ## The docs site (tables, relations, column lineage); after make demo or with the settings of make run.
	@$(BIN)/python -m pages.docs_site.build dbt_project/target site $(if $(wildcard site/report/index.html),report/index.html)
	@echo "docs        site/index.html"

report: setup ## What the numbers say, as pages with charts; after make demo or with the settings of make run.
	@$(BIN)/python -m pages.report.build dbt_project/target site/report
	@echo "report      site/report/index.html"

export: export INTO := dist/marts
export: setup ## The marts as Parquet and CSV with a data dictionary, into INTO=dist/marts; after make demo or with the settings of make run.
	@cd dbt_project && $(BIN)/dbt --quiet parse
	@$(BIN)/python -m pages.export dbt_project/target/manifest.json "$$INTO"

diff: setup ## BASE=before.duckdb: how the warehouse (DUCKDB_PATH, or the demo's) differs from that one: rows, values by key, metrics, which pages move.
	@$(if $(BASE),,echo "error: say which warehouse to compare with: make diff BASE=before.duckdb" >&2; exit 2)
	@cd dbt_project && $(BIN)/dbt --quiet parse
	@$(BIN)/python -m pages.diff dbt_project/target/manifest.json "$$BASE" "$${DUCKDB_PATH:-data/demo/warehouse.duckdb}"

docs-serve: site/index.html ## The docs site on a loopback address, PORT=… or a free one; end with Ctrl-C.
	@$(BIN)/python -u -m http.server --bind 127.0.0.1 --directory site $(if $(PORT),"$$PORT",0)

site/index.html:
	@$(MAKE) --no-print-directory docs

airflow: airflow-manifest ## Airflow with these DAGs on sample feeds, at localhost:8080 (PORT=…), until Ctrl-C.
	@$(BIN)/python -m demo.airflow $(if $(PORT),--port "$$PORT")

backfill: setup ## FROM=2021-01-01 TO=2021-01-31: all these days again, one at a time, in the Airflow of make airflow (or AIRFLOW=http://…).
	@$(if $(and $(FROM),$(TO)),,echo "error: say which days: make backfill FROM=YYYY-MM-DD TO=YYYY-MM-DD" >&2; exit 2)
	@$(BIN)/python -m demo.days backfill "$$FROM" "$$TO"

rerun: setup ## DATE=2021-01-31: one day again, in the same Airflow.
	@$(if $(DATE),,echo "error: say which day: make rerun DATE=YYYY-MM-DD" >&2; exit 2)
	@$(BIN)/python -m demo.days rerun "$$DATE"

airflow-setup: setup .venv-airflow/synced ## Install Airflow into .venv-airflow, an environment of its own.

airflow-manifest: airflow-setup ## dbt's manifest, from which Airflow makes a task of each model.
	@cd dbt_project && $(BIN)/dbt --quiet parse

# Where to put it, and for which machines its wheels are.
spark-package: export PACKAGE := dist/spark
spark-package: export ARCHITECTURE := aarch64
spark-package: setup ## The Spark jobs as clusters take them, into dist/spark.
	@$(BIN)/python -m spark_prep.spark.package "$$PACKAGE"
	@# For EMR Serverless, whose image has none of them; its application is ARM64. Copies: another install may touch a link's file while
	@# tar reads it.
	@wheels=$$(mktemp -d) && trap 'rm -rf "$$wheels"' EXIT && \
	$(UV) pip install --quiet --link-mode copy --target "$$wheels/packages" --python-version 3.11 --python-platform "$$ARCHITECTURE-manylinux_2_28" \
	  --only-binary :all: --no-deps --require-hashes -r requirements/cluster.txt && \
	tar --create --gzip --file "$$PACKAGE/packages.tar.gz" --directory "$$wheels/packages" .

sample-day: setup ## DATE=2021-01-31: feeds of one day as a deployment delivers them, into dist/sample; its answers are printed.
	@rm -rf dist/sample && mkdir -p dist/sample/user_purchase
	@made=$$(mktemp -d) && trap 'rm -rf "$$made"' EXIT && \
	$(BIN)/python -m demo.sample --out "$$made" --from "$$DATE" --to "$$DATE" --reviews-per-day 200 --purchases-per-day 200 > "$$made/summary" && \
	mv "$$made"/raw/* dist/sample && mv "$$made/user_purchase.csv" dist/sample/user_purchase/sample.csv && \
	tr -d '\n' < "$$made/answers.json" && echo

deploy: ## CLOUD=aws|gcp ENV=dev: the platform, image, Spark package, Airflow, a smoke run; DRY_RUN=1 only prints (terraform/DEPLOY.md).
	@$(if $(and $(CLOUD),$(ENV)),,echo "error: say where to: make deploy CLOUD=aws|gcp ENV=dev" >&2; exit 2)
	@"$$(ci/check_machine.sh python)" -m terraform.deploy $(if $(DRY_RUN),--dry-run) deploy "$$CLOUD" "$$ENV"

destroy: ## CLOUD=aws|gcp ENV=dev: take down a stack that is ephemeral, with its data.
	@$(if $(and $(CLOUD),$(ENV)),,echo "error: say what: make destroy CLOUD=aws|gcp ENV=dev" >&2; exit 2)
	@"$$(ci/check_machine.sh python)" -m terraform.deploy $(if $(DRY_RUN),--dry-run) destroy "$$CLOUD" "$$ENV"

locks: $(UV) ## Compile the exact pins with hashes of each environment again.
	@# Airflow: one version of everything in the environments of both clouds; the older where the clouds disagree.
	@for environment in "dev --extra spark --extra dbt --extra pages --extra dev" "terraform --extra terraform" "dbt2 --extra dbt2" \
	    "jobs --extra spark --extra dbt --extra pages -c requirements/dev.txt" \
	    "cluster --extra cluster -c requirements/jobs.txt" \
	    "spark40 --extra spark40 -c requirements/dev.txt" "spark41 --extra spark41 --resolution lowest-direct" \
	    "airflow-gcp --extra airflow --extra airflow-gcp" \
	    "airflow-aws --extra airflow --extra airflow-aws -c requirements/airflow-gcp.txt" \
	    "airflow-test --extra airflow-test -c requirements/airflow-gcp.txt -c requirements/airflow-aws.txt"; do \
	  set -- $$environment; name=$$1; shift; \
	  $(UV) pip compile pyproject.toml --universal --python-version 3.11 "$$@" --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make locks" --quiet --upgrade --output-file requirements/$$name.txt; \
	done

clean: ## Remove everything that was built (not your data).
	@rm -rf .venv .venv-airflow .venv-airflow-gcp .venv-terraform .venv-dbt2 .spark41 .uv data/demo data/airflow data/screenshots dist site dbt_project/target dbt_project/logs dbt_project/profiles.yml .mypy_cache .pytest_cache .ruff_cache

.venv/synced: requirements/dev.txt ci/check_machine.sh | $(UV)
	@ci/check_machine.sh
	@echo "Installing into .venv (the first time takes some minutes: Spark is large) …"
	@[ -x .venv/bin/python ] || $(UV) venv --quiet --no-python-downloads --python "$$(ci/check_machine.sh python)" .venv
	@$(UV) pip sync --quiet --python .venv/bin/python --require-hashes requirements/dev.txt
	@touch $@

.venv-airflow/synced: requirements/airflow-aws.txt requirements/airflow-test.txt | $(UV)
.venv-airflow-gcp/synced: requirements/airflow-gcp.txt requirements/airflow-test.txt | $(UV)
.venv-airflow/synced .venv-airflow-gcp/synced:
	@echo "Installing into $(@D) …"
	@[ -x $(@D)/bin/python ] || $(UV) venv --quiet --no-python-downloads --python "$$(ci/check_machine.sh python)" $(@D)
	@$(UV) pip sync --quiet --python $(@D)/bin/python --require-hashes $^
	@touch $@

.venv-terraform/synced: requirements/terraform.txt ci/check_machine.sh | $(UV)
	@echo "Installing into $(@D) …"
	@[ -x $(@D)/bin/python ] || $(UV) venv --quiet --no-python-downloads --python "$$(ci/check_machine.sh python)" $(@D)
	@$(UV) pip sync --quiet --python $(@D)/bin/python --require-hashes requirements/terraform.txt
	@touch $@

# Not an environment: what lies before .venv's own on the path.
.spark41/synced: requirements/spark41.txt | .venv/synced $(UV)
	@echo "Installing into $(@D) …"
	@rm -rf $(@D)
	@$(UV) pip install --quiet --target $(@D) --python .venv/bin/python --require-hashes -r $<
	@touch $@

# Without it everything else works: where it cannot be had, make goes on, and tries again the next time.
.venv-dbt2/synced: requirements/dbt2.txt ci/check_machine.sh | $(UV)
	@[ -x $(@D)/bin/python ] || $(UV) venv --quiet --no-python-downloads --python "$$(ci/check_machine.sh python)" $(@D)
	@if $(UV) pip sync --quiet --python $(@D)/bin/python --require-hashes requirements/dbt2.txt; then touch $@; fi

dbt_project/profiles.yml: profiles_template.yml
	@cp $< $@
	@mkdir -p data/demo

$(CURDIR)/.uv/bin/uv:
	@"$$(ci/check_machine.sh python)" -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
