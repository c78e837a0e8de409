#!/usr/bin/env bash
# Installs the two environments and makes dbt's manifest, in the folder that the project's files were copied to:
#
#   airflow/image/install.sh aws|gcp
#
# The Dockerfile runs it, and so does a test. Needs uv and the Python that the environments shall use.
set -euo pipefail

case ${1:-} in
  aws) target=redshift ;;
  gcp) target=bigquery ;;
  *) echo "error: airflow/image/install.sh aws|gcp: which cloud's operators shall be in the image?" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.."

install() { # FOLDER LOCK
  uv venv --quiet --no-python-downloads --python "${PYTHON:-python3}" "$1"
  uv pip sync --quiet --python "$1/bin/python" --require-hashes "requirements/$2.txt"
}
install .venv jobs
install .venv-airflow "airflow-$1"

# What Airflow makes its tasks from. No warehouse is asked.
cp profiles_template.yml dbt_project/profiles.yml
cd dbt_project
DBT_TARGET=$target DBT_PROFILES_DIR=. ../.venv/bin/dbt --quiet parse
rm -rf logs
