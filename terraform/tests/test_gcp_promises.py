"""What the GCP stack promises about safety, each on the outcome of its mocked runs."""

from __future__ import annotations

import ipaddress
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from terraform.tests.cli import TREE
from terraform.tests.stack import Mocked, Stack

AIRFLOW = "serviceAccount:airflow@demo-project.iam.gserviceaccount.com"
SPARK = "serviceAccount:spark@demo-project.iam.gserviceaccount.com"
NODES = "serviceAccount:nodes@demo-project.iam.gserviceaccount.com"
ANALYSTS, READERS = "group:analysts@example.com", "group:bi@example.com"
OWNERS = "projectOwner:demo-project"

# Roles of Cloud Storage that let someone read what is in an object.
READING_ROLES = {
    "roles/storage.objectViewer", "roles/storage.objectUser", "roles/storage.objectAdmin", "roles/storage.admin",
    "roles/storage.legacyObjectReader", "roles/storage.legacyObjectOwner",
}  # fmt: skip


@pytest.fixture(scope="module")
def production(mocked: Mocked) -> Stack:
    stack: Stack = mocked("gcp")["serverless"].stack
    return stack


@pytest.fixture(scope="module")
def trial(mocked: Mocked) -> Stack:
    stack: Stack = mocked("gcp")["cluster_and_provisioned"].stack
    return stack


def bindings(policy: SimpleNamespace) -> list[tuple[str, str, str]]:
    """(role, member, condition) of a policy written as JSON."""
    return [
        (binding["role"], member, binding.get("condition", {}).get("expression", ""))
        for binding in json.loads(policy.policy_data)["bindings"]
        for member in binding["members"]
    ]


# Of those that are granted here: those that put and delete objects.
WRITING_ROLES = {"roles/storage.objectUser", "roles/storage.legacyBucketWriter"}
WRITERS = {
    "classified_movie_review": SPARK,
    "other_classification": SPARK,
    "review_logs": SPARK,
    "user_purchase": AIRFLOW,
}
DAY, RUN = "insert_date=2021-01-31", "run=20210201T030501-1a2b3c4d"


def who_may(policy: SimpleNamespace, roles: set[str], key: str) -> set[str]:
    """The members with one of these roles on the object, by the two forms of condition that there are."""
    name = f"projects/_/buckets/{policy.bucket}/objects/{key}"
    found = set()
    for role, member, condition in bindings(policy):
        starts, ends = (
            tuple(re.findall(rf'resource\.name\.{test}\("([^"]+)"\)', condition))
            for test in ("startsWith", "endsWith")
        )
        written = " || ".join(f'resource.name.startsWith("{start}")' for start in starts)
        endings = " || ".join(f'resource.name.endsWith("{end}")' for end in ends)
        assert condition in ("", f"({written})", f"({written}) && ({endings})"), condition
        if role in roles and name.startswith(starts or "") and name.endswith(ends or ""):
            found.add(member)
    return found


def test_nothing_is_public(production: Stack, trial: Stack) -> None:
    for stack in (production, trial):
        assert "allUsers" not in stack.text and "allAuthenticatedUsers" not in stack.text
        for address, bucket in stack.all("google_storage_bucket").items():
            assert bucket.public_access_prevention == "enforced", address
            assert bucket.uniform_bucket_level_access is True, address


def test_a_bucket_that_was_overwritten_can_be_restored(production: Stack) -> None:
    for address, bucket in production.all("google_storage_bucket").items():
        if "scratch" not in address:
            assert bucket.versioning == [{"enabled": True}], address


def test_the_lake_has_a_key_of_its_own_that_only_cloud_storage_uses(production: Stack) -> None:
    key = production.one("google_kms_crypto_key", "google_kms_crypto_key.lake")
    assert key.rotation_period == "7776000s"
    for address, bucket in production.all("google_storage_bucket").items():
        if "scratch" not in address:
            assert [block["default_kms_key_name"] for block in bucket.encryption] == [key.id], address
    users = production.one("google_kms_crypto_key_iam_binding", "iam_binding.lake")
    assert users.members == [
        "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    ]


def test_every_layer_says_all_of_its_access(production: Stack) -> None:
    """google_storage_bucket_iam_policy takes away what it does not name; members added beside it would come and go."""
    layers = {address.split('"')[1] for address in production.all("google_storage_bucket_iam_policy")}
    assert layers == {"raw", "staging", "quarantine", "artifacts"}
    members = production.all("google_storage_bucket_iam_member")
    assert {member.bucket for member in members.values()} == {"movie-analytics-prod-scratch-demo-project"}


def test_only_spark_reads_the_quarantine(production: Stack) -> None:
    policy = production.one("google_storage_bucket_iam_policy", "quarantine")
    assert {member for role, member, _ in bindings(policy) if role in READING_ROLES} == {SPARK}


def test_each_writer_writes_and_removes_runs_of_its_own_tables_only(production: Stack) -> None:
    staging = production.one("google_storage_bucket_iam_policy", "staging")
    quarantine = production.one("google_storage_bucket_iam_policy", "quarantine")
    for table, writer in WRITERS.items():
        for policy in (staging, quarantine):
            assert who_may(policy, WRITING_ROLES, f"{table}/{DAY}/{RUN}/part-00000.parquet") == {writer}
        for key in (f"rejection/{DAY}/{RUN}/{table}.parquet", f"delivery/{DAY}/{table}.parquet"):
            assert who_may(staging, WRITING_ROLES, key) == {writer}
            assert who_may(quarantine, WRITING_ROLES, key) == set()
    # with a run's folder Arrow deletes its marker, and is told "not found" only where it may delete
    assert who_may(staging, WRITING_ROLES, f"rejection/{DAY}/{RUN}/") == {SPARK, AIRFLOW}
    assert who_may(staging, WRITING_ROLES, f"delivery/{DAY}/") == set()
    for policy in (staging, quarantine):
        for key in (".incoming/review_logs/x", "review_logs_old/x", f"other/{DAY}/{RUN}/part-00000.parquet"):
            assert who_may(policy, WRITING_ROLES, key) == set()


def test_the_jobs_read_who_was_erased_and_write_nobody_there(production: Stack) -> None:
    staging = production.one("google_storage_bucket_iam_policy", "staging")
    assert who_may(staging, READING_ROLES, "suppression/0a1b.parquet") == {SPARK, AIRFLOW}
    assert who_may(staging, WRITING_ROLES, "suppression/0a1b.parquet") == set()


def test_the_writers_read_their_delivery_rows(production: Stack) -> None:
    staging = production.one("google_storage_bucket_iam_policy", "staging")
    for table, writer in WRITERS.items():
        assert who_may(staging, READING_ROLES, f"delivery/{DAY}/{table}.parquet") == {writer, AIRFLOW}
    lists = {member for role, member, _ in bindings(staging) if role == "roles/storage.legacyBucketReader"}
    assert lists == {SPARK, AIRFLOW}


def test_no_rule_deletes_what_is_staged(production: Stack) -> None:
    """The run that a day's delivery row names may be years old."""
    for rule in production.one("google_storage_bucket", '"staging"').lifecycle_rule:
        (condition,) = rule["condition"]
        assert condition["with_state"] == "ARCHIVED" and not condition["age"], rule


def test_rejected_records_go_after_90_days_and_who_read_them_stays(production: Stack) -> None:
    conditions = [
        rule["condition"][0]
        for rule in production.one("google_storage_bucket", '"quarantine"').lifecycle_rule
        if rule["condition"][0]["with_state"] != "ARCHIVED"
    ]
    assert {condition["age"] for condition in conditions} == {90}
    assert sorted(condition["matches_prefix"] for condition in conditions) == [
        [f"{table}/"] for table in sorted(WRITERS)
    ]


def test_who_decrypts_and_reads_is_in_the_audit_log(production: Stack, trial: Stack) -> None:
    """Off by default for what is read; to decrypt is to read."""
    for stack in (production, trial):
        logged = {
            (config.project, config.service, log["log_type"], not log["exempted_members"])
            for config in stack.all("google_project_iam_audit_config").values()
            for log in config.audit_log_config
        }
        assert logged == {
            ("demo-project", f"{service}.googleapis.com", "DATA_READ", True)
            for service in ("cloudkms", "secretmanager", "storage")
        }


def test_only_spark_reads_the_vendors_files(production: Stack) -> None:
    policy = production.one("google_storage_bucket_iam_policy", "raw")
    reading = {(member, condition) for role, member, condition in bindings(policy) if role in READING_ROLES}
    folders = {member: set(re.findall(r"/objects/([^\"]*)", condition)) for member, condition in reading}
    assert folders == {SPARK: {"movie_review/", "log_reviews/"}, AIRFLOW: {"user_purchase/"}}


def test_grants_in_buckets_name_their_folders(production: Stack) -> None:
    everywhere = {
        (address.split('"')[1], role, member)
        for address, policy in production.all("google_storage_bucket_iam_policy").items()
        for role, member, condition in bindings(policy)
        if not condition
        and role != "roles/storage.legacyBucketReader"  # names of objects, not what is in them
    }
    owners = {
        (layer, "roles/storage.legacyBucketOwner", OWNERS)
        for layer in ("raw", "staging", "quarantine", "artifacts")
    }
    assert everywhere == owners | {("staging", "roles/storage.objectViewer", AIRFLOW)}


def test_a_condition_is_about_its_own_bucket(production: Stack) -> None:
    for address, policy in production.all("google_storage_bucket_iam_policy").items():
        for _, _, condition in bindings(policy):
            buckets = set(re.findall(r"buckets/([^/]*)/", condition))
            assert buckets <= {policy.bucket}, address


def test_airflow_cannot_change_the_code_that_spark_runs(production: Stack) -> None:
    policy = production.one("google_storage_bucket_iam_policy", "artifacts")
    for role, member, condition in bindings(policy):
        if member == AIRFLOW and role != "roles/storage.legacyBucketReader":
            assert "/objects/docs/" in condition and "/objects/spark" not in condition
        if member == SPARK:
            assert role in ("roles/storage.legacyBucketReader", "roles/storage.objectViewer")


def test_only_spark_reads_the_key_of_the_pseudonyms(production: Stack) -> None:
    key = production.one("google_secret_manager_secret", "module.spark.")
    access = [
        a
        for a in production.all("google_secret_manager_secret_iam_binding").values()
        if a.secret_id == key.id
    ]
    assert [(a.role, a.members) for a in access] == [("roles/secretmanager.secretAccessor", [SPARK])]
    assert production.all("google_secret_manager_secret_iam_member") == {}


def test_the_jobs_encrypt_raw_records_and_nobody_decrypts_them(production: Stack, trial: Stack) -> None:
    for stack in (production, trial):
        key = stack.one("google_kms_crypto_key", "google_kms_crypto_key.quarantine")
        assert stack.outputs["quarantine_key_id"] == key.id
        granted = [
            (binding.role, set(binding.members))
            for binding in stack.all("google_kms_crypto_key_iam_binding").values()
            if binding.crypto_key_id == key.id
        ]
        assert granted == [("roles/cloudkms.cryptoKeyEncrypter", {SPARK, AIRFLOW})]
        assert not stack.all("google_kms_crypto_key_iam_member")
        # a key ring cannot be deleted, so no other stack may have had this name
        ring = stack.one("google_kms_key_ring", "google_kms_key_ring.quarantine")
        assert ring.name.endswith("-quarantine-104857600000000000001") and len(ring.name) <= 63


def test_airflow_reads_its_settings_and_no_other_secret(production: Stack) -> None:
    readable = {
        address
        for address, access in production.all("google_secret_manager_secret_iam_binding").items()
        if AIRFLOW in access.members
    }
    settings = {
        address
        for address in readable
        if "module.orchestrator.google_secret_manager_secret_iam_binding.setting[" in address
    }
    assert len(settings) == 11
    # the export leaves out who was erased
    assert readable - settings == {"module.lake.google_secret_manager_secret_iam_binding.suppression_key"}
    erased = production.one("google_secret_manager_secret_iam_binding", "suppression_key")
    assert (erased.role, set(erased.members)) == ("roles/secretmanager.secretAccessor", {SPARK, AIRFLOW})
    assert production.outputs["suppression_secret_id"] == f"{erased.secret_id}/versions/1"


def test_no_secret_has_its_value_from_terraform(production: Stack) -> None:
    """What Terraform writes it keeps in its state; only Airflow's settings are written, and none is secret."""
    written = production.all("google_secret_manager_secret_version")
    assert all("orchestrator.google_secret_manager_secret_version.setting[" in address for address in written)
    assert not re.search(r"passw(or)?d", " ".join(version.secret_data for version in written.values()))
    for user in production.all("google_sql_user").values():
        assert user.type == "CLOUD_IAM_SERVICE_ACCOUNT" and not user.password


def test_airflow_finds_its_variables_and_connections(production: Stack) -> None:
    outputs = production.outputs
    written = {
        address.split('"')[1]: version.secret_data
        for address, version in production.all("google_secret_manager_secret_version").items()
    }
    prefix = outputs["airflow_variables_prefix"] + "-"
    variables = {
        name.removeprefix(prefix): value for name, value in written.items() if name.startswith(prefix)
    }
    assert {
        name: variables.pop(name) for name in ("raw_uri", "staging_uri", "quarantine_uri", "artifacts_uri")
    } == {name: outputs[name] for name in ("raw_uri", "staging_uri", "quarantine_uri", "artifacts_uri")}
    assert json.loads(variables.pop("spark")) == outputs["spark"]
    assert json.loads(variables.pop("warehouse")) == outputs["warehouse"]
    assert variables == {
        "start_date": "2021-01-01", "pseudonym_key_version": "1", "quarantine_key_id": outputs["quarantine_key_id"],
        "suppression_secret_id": outputs["suppression_secret_id"],
    }  # fmt: skip
    shop = json.loads(written[outputs["airflow_connections_prefix"] + "-shop_db"])
    assert (shop["host"], shop["schema"], shop["login"]) == (
        outputs["shop_host"], outputs["shop_database"], "airflow@demo-project.iam",
    )  # fmt: skip
    assert shop["extra"] == {"iam": True, "sslmode": "require"}


def test_databases_have_no_public_address_and_take_encrypted_connections_only(production: Stack) -> None:
    databases = production.all("google_sql_database_instance")
    assert len(databases) == 2
    for address, database in databases.items():
        (settings,) = database.settings
        (network,) = settings["ip_configuration"]
        assert (network["ipv4_enabled"], network["ssl_mode"]) == (False, "ENCRYPTED_ONLY"), address
        assert network["private_network"], address
        assert settings["backup_configuration"][0]["enabled"] is True, address


def test_kubernetes_is_private(production: Stack, trial: Stack) -> None:
    # a private address needs no public one on the other side
    for stack, cidrs in ((production, ["10.99.0.0/24"]), (trial, ["203.0.113.0/24"])):
        cluster = stack.one("google_container_cluster")
        (private,) = cluster.private_cluster_config
        (authorized,) = cluster.master_authorized_networks_config
        assert private["enable_private_nodes"] is True
        assert private["enable_private_endpoint"] is (cidrs != ["203.0.113.0/24"])
        assert [block["cidr_block"] for block in authorized["cidr_blocks"]] == cidrs
        assert authorized["gcp_public_cidrs_access_enabled"] is False


def test_only_airflows_service_account_in_kubernetes_is_airflow(production: Stack) -> None:
    binding = production.one("google_service_account_iam_binding", "workload_identity")
    assert binding.members == ["serviceAccount:demo-project.svc.id.goog[airflow/airflow]"]
    assert binding.service_account_id == AIRFLOW.replace(
        "serviceAccount:", "projects/demo-project/serviceAccounts/"
    )


def test_airflow_acts_as_spark_and_nobody_else(production: Stack) -> None:
    granted = production.all("google_service_account_iam_member")
    assert [(g.role, g.member, g.service_account_id) for g in granted.values()] == [
        (
            "roles/iam.serviceAccountUser",
            AIRFLOW,
            SPARK.replace("serviceAccount:", "projects/demo-project/serviceAccounts/"),
        )
    ]


def test_roles_in_the_whole_project_are_few_and_hold_no_data(production: Stack) -> None:
    granted = {
        (member.member, member.role if member.role.startswith("roles/") else address.split(".")[-1])
        for address, member in production.all("google_project_iam_member").items()
    }
    assert granted == {
        (NODES, "roles/container.defaultNodeServiceAccount"),
        (AIRFLOW, "roles/cloudsql.instanceUser"),
        (AIRFLOW, "loader"),
        (AIRFLOW, "spark_starter"),
        (SPARK, "worker"),
        (ANALYSTS, "roles/bigquery.jobUser"),
        (READERS, "roles/bigquery.jobUser"),
    }
    for address, role in production.all("google_project_iam_custom_role").items():
        for permission in role.permissions:
            assert not re.match(
                r"storage\.|secretmanager\.|iam\.|resourcemanager\.|bigquery\.tables\.(get|export)",
                permission,
            ), address
            assert not permission.endswith(".setIamPolicy"), address


def test_the_database_login_is_for_one_instance(production: Stack) -> None:
    login = production.one("google_project_iam_member", "module.shop.")
    assert login.condition[0]["expression"].endswith(
        '"projects/demo-project/instances/movie-analytics-prod-shop"'
    )


def test_airflow_has_the_rights_of_its_spark_mode_only(production: Stack, trial: Stack) -> None:
    batches = production.one("google_project_iam_custom_role", "spark_starter").permissions
    clusters = trial.one("google_project_iam_custom_role", "spark_starter").permissions
    assert "dataproc.batches.create" in batches and not any(
        "clusters" in permission for permission in batches
    )
    # a later try looks for the job of an earlier one
    assert "dataproc.batches.list" in batches and "dataproc.jobs.list" in clusters
    assert "dataproc.clusters.delete" in clusters and not any(
        "batches" in permission for permission in clusters
    )


def test_who_reads_which_dataset(production: Stack) -> None:
    # A policy beside the dataset cannot be destroyed, and the provider knows no projectOwner:… there.
    assert not production.all("google_bigquery_dataset_iam_policy")
    airflow, analysts, readers = (member.partition(":")[2] for member in (AIRFLOW, ANALYSTS, READERS))
    masker = production.one("google_project_iam_custom_role", "masker").id
    everywhere = {("OWNER", "special_group", "projectOwners"), ("WRITER", "user_by_email", airflow)}
    reading = {}
    authorized = {}
    for address, dataset in production.all("google_bigquery_dataset").items():
        name = dataset.dataset_id.rpartition("_")[2]
        members = [access for access in dataset.access if not access["dataset"]]
        authorized[name] = [access["dataset"][0] for access in dataset.access if access["dataset"]]
        found = {
            (access["role"], kind, access[kind])
            for access in members
            for kind in ("special_group", "user_by_email", "group_by_email", "iam_member", "domain")
            if access[kind]
        }
        assert len(found) == len(members), address
        assert everywhere <= found, address
        reading[name] = found - everywhere
    view = {"analysts": ("READER", "group_by_email", analysts), "bi": ("READER", "group_by_email", readers)}
    assert reading == {
        "external": set(),
        "staging": set(),
        "reference": {view["analysts"]},
        "intermediate": {view["analysts"]},
        "audit": {view["analysts"]},
        "history": {view["analysts"]},
        "marts": {view["analysts"], (masker, "user_by_email", airflow)},
        "reading": {view["bi"]},
    }
    # The views of `reading` read marts, and nothing else reads anything for anyone.
    (marts,) = authorized.pop("marts")
    assert not any(authorized.values())
    assert marts["target_types"] == ["VIEWS"]
    assert [one["dataset_id"].rpartition("_")[2] for one in marts["dataset"]] == ["reading"]


def test_dbt_may_make_the_views_that_read_marts_for_others(production: Stack) -> None:
    """To write both datasets is not enough: "create or replace view" would end with "Permission bigquery.datasets.update denied" on marts.
    https://docs.cloud.google.com/bigquery/docs/authorized-datasets, https://github.com/mozilla/bigquery-etl/pull/4681"""
    (marts,) = (
        dataset
        for dataset in production.all("google_bigquery_dataset").values()
        if any(access["dataset"] for access in dataset.access)
    )
    roles = {
        access["role"] for access in marts.access if access["user_by_email"] == AIRFLOW.partition(":")[2]
    }
    permissions = [
        permission
        for role in production.all("google_project_iam_custom_role").values()
        if role.id in roles
        for permission in role.permissions
    ]
    assert "bigquery.datasets.update" in permissions


def test_only_analysts_and_dbt_see_the_column_that_names_a_customer(production: Stack) -> None:
    tag = production.one("google_data_catalog_policy_tag").name
    clear = production.one("google_data_catalog_policy_tag_iam_binding")
    assert (clear.policy_tag, set(clear.members)) == (tag, {AIRFLOW, ANALYSTS})
    # A mask would let others join by it: to NULL, so to nothing.
    assert not production.all("google_bigquery_datapolicy_data_policy")
    assert production.outputs["warehouse"]["BIGQUERY_CUSTOMER_POLICY_TAG"] == tag


def test_there_is_a_dataset_for_each_schema_of_dbt(production: Stack) -> None:
    project = TREE.parent / "dbt_project"
    configured = yaml.safe_load((project / "dbt_project.yml").read_text())
    schemas = {
        settings["+schema"]
        for kind in ("models", "seeds", "snapshots")
        for settings in _with_schema(configured.get(kind, {}))
    }
    for file in project.glob("models/*/*.yml"):
        schemas |= set(re.findall(r'schema: "\{\{ target\.schema \}\}_(\w+)"', file.read_text()))
    schemas.add("reading")  # of the macro view_for_readers
    datasets = {dataset.dataset_id for dataset in production.all("google_bigquery_dataset").values()}
    assert datasets == {f"{production.outputs['warehouse']['DBT_SCHEMA']}_{schema}" for schema in schemas}


def _with_schema(settings: dict[str, Any]) -> list[dict[str, Any]]:
    nested = [
        inner for value in settings.values() if isinstance(value, dict) for inner in _with_schema(value)
    ]
    return nested + ([settings] if "+schema" in settings else [])


def test_the_only_way_in_is_from_spark_to_spark(production: Stack) -> None:
    (firewall,) = production.all("google_compute_firewall").values()
    spark = production.one("google_compute_subnetwork", "subnetwork.spark")
    assert firewall.source_ranges == firewall.destination_ranges == [spark.ip_cidr_range]


def test_address_ranges_do_not_overlap(production: Stack) -> None:
    subnets = production.all("google_compute_subnetwork").values()
    ranges = [s.ip_cidr_range for s in subnets] + [
        r["ip_cidr_range"] for s in subnets for r in s.secondary_ip_range
    ]
    peered = production.one("google_compute_global_address")
    networks = [ipaddress.IPv4Network(r) for r in [*ranges, f"{peered.address}/{peered.prefix_length}"]]
    assert len(networks) == 5
    for network in networks:
        assert network.subnet_of(ipaddress.IPv4Network("10.20.0.0/16"))
        assert [other for other in networks if network.overlaps(other)] == [network]


def test_the_connection_of_the_databases_does_not_stop_destroy(production: Stack) -> None:
    connection = production.one("google_service_networking_connection")
    assert (connection.deletion_policy, connection.update_on_creation_fail) == ("ABANDON", True)


def test_a_stack_made_again_has_roles_of_other_ids(production: Stack) -> None:
    """Google keeps the id of a deleted role for up to 37 days. Service accounts get a new number each time."""
    roles = production.all("google_project_iam_custom_role")
    assert len(roles) == 4
    for address, role in roles.items():
        assert role.role_id.endswith("_104857600000000000001"), address
        # 21 characters are the most that project and environment may have.
        longest = len(role.role_id) - len("movie-analytics-prod") + 21
        assert re.fullmatch(r"[a-zA-Z0-9_.]+", role.role_id) and longest <= 64, address


def test_only_a_trial_stack_can_be_destroyed_with_its_data(production: Stack, trial: Stack) -> None:
    for stack, ephemeral in ((production, False), (trial, True)):
        layers = [b for address, b in stack.all("google_storage_bucket").items() if "scratch" not in address]
        assert {bucket.force_destroy for bucket in layers} == {ephemeral}
        assert {d.delete_contents_on_destroy for d in stack.all("google_bigquery_dataset").values()} == {
            ephemeral
        }
        assert {d.deletion_protection for d in stack.all("google_sql_database_instance").values()} == {
            not ephemeral
        }
        assert stack.one("google_container_cluster").deletion_protection is (not ephemeral)
        assert stack.one("google_secret_manager_secret", "module.spark.").deletion_protection is (
            not ephemeral
        )


def test_the_services_that_are_used_are_switched_on(production: Stack) -> None:
    services = {
        service.service.removesuffix(".googleapis.com")
        for service in production.all("google_project_service").values()
    }
    # Batches of runtime 3.0 need it: docs.cloud.google.com/managed-spark/docs/concepts/versions/spark-runtime-3.0
    assert {"dataproc", "dataprocrm"} <= services
    # Without it the provider warns only, and leaves the billing account of data.google_project empty.
    assert {"billingbudgets", "cloudbilling"} <= services


def test_the_budget_is_watched(production: Stack) -> None:
    budget = production.one("google_billing_budget")
    assert budget.amount[0]["specified_amount"][0]["units"] == "300"
    # Google refuses a currency that is not the billing account's own.
    assert "currency_code" not in (TREE / "gcp/main.tf").read_text()
    assert [rule["threshold_percent"] for rule in budget.threshold_rules] == [0.8, 1]
    assert production.one("google_monitoring_notification_channel").labels == {
        "email_address": "data@example.com"
    }
