# What Spark needs to run on Dataproc: an identity, a scratch bucket, the key of the pseudonyms. Batches and clusters
# themselves come and go with the day: Airflow starts them.

locals {
  machine_type = { small = "e2-standard-4", large = "n2-standard-8" }[var.size]
  worker_count = { small = 2, large = 4 }[var.size]
}

resource "google_service_account" "this" {
  account_id   = "${var.name}-spark"
  display_name = "Spark jobs"
}

# What roles/dataproc.worker holds, without its grants on every bucket of the project.
resource "google_project_iam_custom_role" "worker" {
  role_id = "${replace(var.name, "-", "_")}_spark_worker_${var.role_suffix}"
  title   = "${var.name}: Dataproc worker without buckets"

  permissions = [
    "dataproc.agents.create",
    "dataproc.agents.delete",
    "dataproc.agents.get",
    "dataproc.agents.list",
    "dataproc.agents.update",
    "dataproc.tasks.lease",
    "dataproc.tasks.listInvalidatedLeases",
    "dataproc.tasks.reportStatus",
    "dataprocrm.nodes.get",
    "dataprocrm.nodes.heartbeat",
    "dataprocrm.nodes.list",
    "dataprocrm.nodes.mintOAuthToken",
    "dataprocrm.nodes.update",
    "logging.logEntries.create",
    "logging.logEntries.route",
    "monitoring.metricDescriptors.create",
    "monitoring.metricDescriptors.get",
    "monitoring.metricDescriptors.list",
    "monitoring.monitoredResourceDescriptors.get",
    "monitoring.monitoredResourceDescriptors.list",
    "monitoring.timeSeries.create",
  ]
}

resource "google_project_iam_member" "worker" {
  project = var.project_id
  role    = google_project_iam_custom_role.worker.id
  member  = google_service_account.this.member
}

# Dataproc's own: the driver's output, files on their way. Nothing of the lake.
resource "google_storage_bucket" "scratch" {
  # checkov:skip=CKV_GCP_62:scratch files of Dataproc, gone after two weeks.
  # checkov:skip=CKV_GCP_78:scratch files of Dataproc, gone after two weeks.
  name                        = "${var.name}-scratch-${var.project_id}"
  location                    = var.region
  force_destroy               = true
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      age = 14
    }
  }
}

resource "google_storage_bucket_iam_member" "scratch" {
  for_each = toset(["roles/storage.legacyBucketReader", "roles/storage.objectUser"])

  bucket = google_storage_bucket.scratch.name
  role   = each.key
  member = google_service_account.this.member
}

# Without a value: `make deploy` adds version 1, 2, 3 …, which Terraform never sees.
resource "google_secret_manager_secret" "pseudonym_key" {
  secret_id           = "${var.name}-pseudonym-key"
  deletion_protection = !var.ephemeral

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

# The Spark jobs, and no one else: a grant made by hand is taken away by the next apply.
resource "google_secret_manager_secret_iam_binding" "pseudonym_key" {
  secret_id = google_secret_manager_secret.pseudonym_key.id
  role      = "roles/secretmanager.secretAccessor"
  members   = [google_service_account.this.member]
}
