#!/usr/bin/env bash
# The way from an empty account to a running pipeline, and back. Each step prints the commands that it runs.
#
#   terraform/deploy.sh [--dry-run] [--yes] COMMAND CLOUD ENVIRONMENT
#
# COMMAND   bootstrap  make the bucket of Terraform's state, once for an account or project
#           plan       what apply would change
#           deploy     platform, keys, image, Spark package, databases, Airflow, warehouse, smoke test; repeatable
#           destroy    take all of it down
# CLOUD     aws or gcp
# ENVIRONMENT  names CLOUD/environments/ENVIRONMENT.tfvars and the backend beside it
#
# --dry-run prints every command and runs none; <name> stands for the Terraform output of that name.
# --yes asks nothing: for CI, after somebody has looked at the plan.
#
# Needs terraform, docker, kubectl, helm, openssl, python3, make and the cloud's command line (aws or gcloud), logged in.
# No password is an argument of a command, in its environment, or printed: they go through pipes.
set -euo pipefail

CHART_VERSION=1.22.0
PSQL_IMAGE=postgres:17-alpine

# What is printed is printed here, also by steps whose output is read.
exec 3>&1

usage() {
  sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"
  exit "${1:-2}"
}

main() {
  dry_run=false approve=()
  while [[ ${1:-} == --* ]]; do
    case $1 in
      --dry-run) dry_run=true ;;
      --yes) approve=(-auto-approve) ;;
      --help) usage 0 ;;
      *) usage >&2 ;;
    esac
    shift
  done
  [[ $# -eq 3 && $1 =~ ^(bootstrap|plan|deploy|destroy)$ && $2 =~ ^(aws|gcp)$ ]] || usage >&2
  local command=$1
  cloud=$2 environment=$3
  cd "$(dirname "$0")/.."
  tree=terraform/$cloud
  variables=environments/$environment.tfvars
  backend=environments/$environment.$([[ $cloud == aws ]] && echo s3 || echo gcs).tfbackend
  for file in "$variables" "$backend"; do
    [[ -f $tree/$file ]] || fail "$tree/$file is missing: copy that of dev and fill it in"
  done
  export AWS_REGION AWS_PAGER="" KUBECONFIG
  AWS_REGION=$(setting "$variables" region)
  # The user's own configuration of kubectl stays as it is.
  KUBECONFIG=$(mktemp)
  trap 'rm -f "$KUBECONFIG"' EXIT
  "$command"
}

bootstrap() {
  step "State: a private bucket that keeps old versions"
  local bucket region project
  bucket=$(setting "$backend" bucket)
  region=$(setting "$variables" region)
  if [[ $cloud == aws ]]; then
    local location=(--create-bucket-configuration "LocationConstraint=$region")
    [[ $region != us-east-1 ]] || location=() # the one region that must not be named
    run aws s3api create-bucket --bucket "$bucket" --region "$region" "${location[@]}"
    run aws s3api put-public-access-block --bucket "$bucket" --public-access-block-configuration \
      BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
    run aws s3api put-bucket-versioning --bucket "$bucket" --versioning-configuration Status=Enabled
  else
    project=$(setting "$variables" gcp_project_id)
    run gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com --project "$project"
    run gcloud storage buckets create "gs://$bucket" --project "$project" --location "$region" \
      --uniform-bucket-level-access --public-access-prevention
    run gcloud storage buckets update "gs://$bucket" --versioning
  fi
}

plan() {
  initialise
  run terraform -chdir="$tree" plan -input=false -no-color -lock-timeout=5m -var-file="$variables"
}

deploy() {
  version=$(git describe --always --abbrev=12 --dirty="-$(date -u +%Y%m%d%H%M%S)")
  initialise
  step "Platform"
  run terraform -chdir="$tree" apply -input=false -lock-timeout=5m -var-file="$variables" "${approve[@]}"

  read_outputs
  image=$(output image_repository):$version
  namespace=$(output airflow_namespace)
  write_pseudonym_key
  [[ $cloud == aws ]] || set_database_passwords
  publish_image
  publish_spark_package
  log_in_to_cluster
  prepare_namespace
  prepare_databases
  install_airflow
  stage_external_sources
  smoke_run
  step "Done. The web interface: kubectl --namespace $namespace port-forward service/airflow-api-server 8080"
}

destroy() {
  [[ $(setting "$variables" ephemeral) == true ]] ||
    fail "$tree/$variables does not say ephemeral = true: its data would be lost. Set it, deploy, and try again"
  initialise
  read_outputs
  # A deploy that failed early has left no cluster.
  if $dry_run || [[ -n ${output_cluster_name:-} ]]; then
    log_in_to_cluster
    step "What Kubernetes has made in the cloud: volumes"
    run helm uninstall airflow --namespace "$(output airflow_namespace)" --ignore-not-found --wait
    run kubectl delete namespace "$(output airflow_namespace)" --ignore-not-found
  fi
  [[ $cloud == gcp ]] || delete_security_groups_of_emr
  step "Everything that Terraform has made"
  run terraform -chdir="$tree" destroy -input=false -lock-timeout=5m -var-file="$variables" "${approve[@]}"
}

initialise() {
  step "Terraform: the state of $cloud, $environment"
  run terraform -chdir="$tree" init -input=false -reconfigure -backend-config="$backend"
}

# Terraform has made the secret, never its value. A version that is there is not written again: pseudonyms hang on it.
write_pseudonym_key() {
  step "Key of the pseudonyms, unless it is there"
  local secret number known
  secret=$(output pseudonym_secret_id)
  number=$(output pseudonym_key_version)
  if [[ $cloud == aws ]]; then
    known=$(run aws secretsmanager describe-secret --secret-id "$secret" --query VersionIdsToStages --output json)
    [[ $known != *"\"v$number\""* ]] || return 0
    random_hex 32 | feed aws secretsmanager put-secret-value --secret-id "$secret" --version-stages AWSCURRENT "v$number" \
      --secret-string file:///dev/stdin --query VersionStages
  else
    known=$(run gcloud secrets versions list "${secret%/versions/*}" --format "value(name.basename())")
    [[ $'\n'$known$'\n' != *$'\n'$number$'\n'* ]] || return 0
    random_hex 32 | feed gcloud secrets versions add "${secret%/versions/*}" --data-file=-
    # Google counts by itself: pseudonym_key_version has to be the next number.
    run gcloud secrets versions describe "$secret" --format "value(state)"
  fi
}

# RDS keeps its administrators' passwords by itself; Cloud SQL has to be given them. Each deploy gives new ones.
set_database_passwords() {
  local name secret project instance password token
  project=$(setting "$variables" gcp_project_id)
  for name in source metadata; do
    secret=$(output "${name}_secret_id")
    instance=${secret##*/}
    instance=${instance%-admin}
    step "Password of the administrator of ${instance}"
    password=$(random_hex 24)
    token=$(run gcloud auth print-access-token)
    # gcloud takes a password as an argument only, where every process of the machine can read it.
    printf 'header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\ndata = "{\\"password\\":\\"%s\\"}"\n' \
      "$token" "$password" |
      feed curl --silent --show-error --fail --output /dev/null --request PUT --config - \
        "https://sqladmin.googleapis.com/v1/projects/$project/instances/$instance/users?name=postgres"
    printf '{"username":"postgres","password":"%s"}' "$password" | feed gcloud secrets versions add "$secret" --data-file=-
  done
}

publish_image() {
  step "Airflow's image, unless it is there"
  local registry=${image%%/*} password
  if [[ $cloud == aws ]]; then
    password=$(run aws ecr get-login-password)
    printf '%s' "$password" | feed docker login --username AWS --password-stdin "$registry"
  else
    run gcloud auth configure-docker "$registry" --quiet
  fi
  if $dry_run || ! docker manifest inspect "$image" >/dev/null 2>&1; then
    run docker build --platform linux/amd64 --file airflow/image/Dockerfile --build-arg "CLOUD=$cloud" \
      --build-arg "PIPELINE_VERSION=$version" --tag "$image" .
    run docker push "$image"
  fi
}

publish_spark_package() {
  step "Spark package"
  local target
  target=$(output artifacts_uri)/spark/$version
  run make spark-package
  if [[ $cloud == aws ]]; then
    run aws s3 cp --recursive dist/spark "$target"
  else
    run gcloud storage cp --recursive "dist/spark/*" "$target/"
  fi
}

log_in_to_cluster() {
  step "Cluster"
  local region
  region=$(output region)
  if [[ $cloud == aws ]]; then
    run aws eks update-kubeconfig --name "$(output cluster_name)" --region "$region"
  else
    run gcloud container clusters get-credentials "$(output cluster_name)" --region "$region" \
      --project "$(setting "$variables" gcp_project_id)"
  fi
}

prepare_namespace() {
  step "Namespace and service account of Airflow, and keys of its own, unless they are there"
  local annotation name
  annotation=$([[ $cloud == aws ]] && echo eks.amazonaws.com/role-arn || echo iam.gke.io/gcp-service-account)
  apply "namespace $namespace, service account $(output airflow_service_account) as $(output airflow_identity)" <<JSON
{"apiVersion": "v1", "kind": "List", "items": [
  {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "$namespace"}},
  {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "$(output airflow_service_account)", "namespace": "$namespace",
    "annotations": {"$annotation": "$(output airflow_identity)"}}}]}
JSON
  for name in fernet-key api-secret-key jwt-secret; do
    is_in_cluster secret "airflow-$name" || random_base64 | keep_secret "airflow-$name" "$name"
  done
}

prepare_databases() {
  step "Databases: users, grants, the shop's table"
  local admin password
  admin=$(read_secret "$(output source_secret_id)")
  field password "$admin" | in_cluster shop-database terraform/deploy/databases/shop.sh \
    "PGHOST=$(output source_host)" "PGDATABASE=$(output source_database)" "PGUSER=$(field username "$admin")" \
    "AIRFLOW_USER=$(output source_user)"

  if ! is_in_cluster secret airflow-metadata; then
    admin=$(read_secret "$(output metadata_secret_id)")
    password=$(random_hex 24)
    printf '%s\n%s\n' "$(field password "$admin")" "$password" | in_cluster airflow-database terraform/deploy/databases/metadata.sh \
      "PGHOST=$(output metadata_host)" PGDATABASE=postgres "PGUSER=$(field username "$admin")"
    printf 'postgresql://airflow:%s@%s:5432/airflow?sslmode=require' "$password" "$(output metadata_host)" |
      keep_secret airflow-metadata connection
  fi

  # On BigQuery Terraform says who sees what; Redshift knows roles of its own.
  if [[ $cloud == aws ]]; then
    local identity
    identity=$(output airflow_identity)
    admin=$(read_secret "$(output warehouse_admin_secret_id)")
    field password "$admin" | in_cluster warehouse-roles terraform/deploy/databases/redshift.sh \
      "PGHOST=$(output warehouse REDSHIFT_HOST)" "PGPORT=$(output warehouse REDSHIFT_PORT)" \
      "PGDATABASE=$(output warehouse REDSHIFT_DATABASE)" "PGUSER=$(field username "$admin")" \
      "LOADER=${identity##*/}" "ANALYSTS=$(output warehouse_analysts)" "READERS=$(output warehouse_readers)"
  fi
}

install_airflow() {
  step "Airflow"
  local kwargs region start_date
  region=$(output region)
  start_date=$(setting "$variables" start_date)
  kwargs="\"variables_prefix\": \"$(output airflow_variables_prefix)\", \"connections_prefix\": \"$(output airflow_connections_prefix)\""
  if [[ $cloud == aws ]]; then
    kwargs="$kwargs, \"region_name\": \"$region\""
  else
    kwargs="$kwargs, \"sep\": \"-\", \"project_id\": \"$(setting "$variables" gcp_project_id)\""
  fi
  helm_values images.airflow.repository="${image%:*}" images.airflow.tag="$version" \
    PIPELINE_VERSION="$version" SPARK_RUNTIME="$(output spark_runtime)" DBT_TARGET="$(output dbt_target)" \
    START_DATE="$start_date" AWS_DEFAULT_REGION="$([[ $cloud == gcp ]] || echo "$region")" \
    AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT="$([[ $cloud == aws ]] || echo google-cloud-platform://)" \
    AIRFLOW__SECRETS__BACKEND_KWARGS="{$kwargs}" \
    AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER="$(output artifacts_uri)/airflow-logs" |
    feed helm upgrade airflow airflow --install --repo https://airflow.apache.org --version "$CHART_VERSION" \
      --namespace "$namespace" --values airflow/helm/values.yaml --values "airflow/helm/values-$cloud.yaml" --values - \
      --wait --timeout 20m
}

# As the task does it: settings from the secrets backend, identity of the pod, dbt, warehouse.
stage_external_sources() {
  step "External tables"
  in_airflow tasks test analytics stage_external_sources "$(setting "$variables" start_date)"
}

# What can be run without a vendor's file, and touches all but Spark: DAGs, secrets, the shop's database, the lake.
smoke_run() {
  step "Smoke run"
  local dag
  for dag in user_purchase_load staging analytics; do
    in_airflow dags details "$dag"
  done
  in_airflow tasks test staging export_purchases "$(setting "$variables" start_date)"
}

# EMR makes them in the network by itself, with rules that name each other, and leaves them there.
delete_security_groups_of_emr() {
  local vpc group groups rules
  vpc=$(run aws ec2 describe-vpcs --query "Vpcs[].VpcId" --output text \
    --filters "Name=tag:Name,Values=$(output cluster_name)")
  groups=$(run aws ec2 describe-security-groups --query "SecurityGroups[].GroupId" --output text \
    --filters "Name=vpc-id,Values=$vpc" "Name=group-name,Values=ElasticMapReduce-*")
  for group in $groups; do
    rules=$(run aws ec2 describe-security-group-rules --query "SecurityGroupRules[?!IsEgress].SecurityGroupRuleId" \
      --output text --filters "Name=group-id,Values=$group")
    # shellcheck disable=SC2086 # ids, one word each
    [[ -z $rules ]] || run aws ec2 revoke-security-group-ingress --group-id "$group" --security-group-rule-ids $rules
  done
  for group in $groups; do
    run aws ec2 delete-security-group --group-id "$group"
  done
}

step() {
  printf '\n== %s\n' "$1" >&3
}

fail() {
  echo "error: $1" >&2
  exit 2
}

# Print a command and run it.
run() {
  printf '+%s\n' "$(quoted "$@")" >&3
  $dry_run || "$@"
}

# The same for one that reads what is piped to it.
feed() {
  run "$@"
  if $dry_run; then cat >/dev/null; fi
}

quoted() {
  local line
  line=$(printf ' %q' "$@")
  line=${line//\\</<}
  printf '%s' "${line//\\>/>}"
}

# What Terraform says, as variables output_NAME and output_NAME_KEY; a list as words.
read_outputs() {
  local json
  json=$(run terraform -chdir="$tree" output -json)
  $dry_run || eval "$(printf '%s' "$json" | python3 -c '
import json, shlex, sys
for name, output in json.load(sys.stdin).items():
    value = output["value"]
    for key, inner in value.items() if isinstance(value, dict) else [("", value)]:
        text = " ".join(inner) if isinstance(inner, list) else str(inner)
        print("output_" + name + ("_" + key if key else "") + "=" + shlex.quote(text))')"
}

# output NAME [KEY]
output() {
  local variable=output_$1${2:+_$2}
  if $dry_run; then
    printf '<%s>' "$1${2:+.$2}"
  else
    printf '%s' "${!variable}"
  fi
}

# setting FILE NAME: what the environment's file says.
setting() {
  sed -nE "s/^$2[[:space:]]*=[[:space:]]*\"?([^\"#]*[^\"# ])\"?.*/\1/p" "$tree/$1"
}

read_secret() {
  if [[ $cloud == aws ]]; then
    run aws secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text
  else
    run gcloud secrets versions access latest --secret "$1"
  fi
}

# field NAME SECRET: one value of a secret that is JSON.
field() {
  if $dry_run; then
    printf '<%s>\n' "$1"
  else
    printf '%s' "$2" | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
  fi
}

random_hex() {
  openssl rand -hex "$1" | tr -d '\n'
}

random_base64() {
  openssl rand -base64 32 | tr '+/' '-_' | tr -d '\n'
}

is_in_cluster() {
  ! $dry_run && kubectl --namespace "$namespace" get "$1" "$2" >/dev/null 2>&1
}

# apply WHAT: the manifest on standard input.
apply() {
  printf '+ kubectl apply --filename - # %s\n' "$1" >&3
  if $dry_run; then cat >/dev/null; else kubectl apply --filename -; fi
}

# keep_secret NAME KEY: a secret in the cluster; its value is standard input.
keep_secret() {
  feed kubectl --namespace "$namespace" create secret generic "$1" --from-file="$2=/dev/stdin"
}

# in_cluster NAME SCRIPT SETTING=value…: a script of terraform/deploy/databases, where the databases can be reached.
in_cluster() {
  local settings=() setting
  for setting in "${@:3}" PGSSLMODE=require; do settings+=(--env "$setting"); done
  local pod=(kubectl --namespace "$namespace" run "$1" --image "$PSQL_IMAGE" --restart Never --rm --stdin --quiet
    --pod-running-timeout 5m "${settings[@]}" --command -- sh -c)
  printf '+%s "$%s"\n' "$(quoted "${pod[@]}")" "(cat $2)" >&3
  if $dry_run; then cat >/dev/null; else "${pod[@]}" "$(cat "$2")"; fi
}

# Where tasks run anyway (LocalExecutor), with room for dbt.
in_airflow() {
  run kubectl --namespace "$namespace" exec deployment/airflow-scheduler --container scheduler -- airflow "$@"
}

# helm_values NAME=value…: what only Terraform knows, as Helm values: names with dots as they are, others for the environment.
helm_values() {
  local values
  values=$(python3 -c '
import json, sys
values = {"env": []}
for name, _, value in (setting.partition("=") for setting in sys.argv[1:]):
    *path, last = name.split(".")
    if path:
        inner = values
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    elif value:
        values["env"].append({"name": name, "value": value})
print(json.dumps(values))' "$@")
  printf '  values: %s\n' "$values" >&3
  $dry_run || printf '%s' "$values"
}

main "$@"
