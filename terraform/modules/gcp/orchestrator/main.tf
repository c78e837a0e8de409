# Kubernetes for Airflow, Airflow's identity and what it may do, its own database, its image, and what it reads at run time.

resource "google_service_account" "nodes" {
  account_id   = "${var.name}-nodes"
  display_name = "Kubernetes nodes"
}

resource "google_project_iam_member" "nodes" {
  project = var.project_id
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes.member
}

resource "google_container_cluster" "this" {
  # Autopilot decides these itself, and the provider refuses to set them beside it.
  # checkov:skip=CKV_GCP_12:Autopilot enforces network policies with its own data path.
  # checkov:skip=CKV_GCP_61:Autopilot switches on intranode visibility; the subnet's flow logs are on.
  # checkov:skip=CKV_GCP_69:Autopilot's nodes always run the GKE metadata server.
  # checkov:skip=CKV_GCP_21:the provider's default_labels are on it.
  # checkov:skip=CKV_GCP_65:needs a group of a Google Workspace; who may deploy is decided by IAM.
  # checkov:skip=CKV_GCP_66:images come from this stack's own registry, whose tags cannot be moved.
  name                = var.name
  location            = var.region
  enable_autopilot    = true
  deletion_protection = !var.ephemeral
  network             = var.network_id
  subnetwork          = var.subnet_id

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes = true
    # Without public addresses among the allowed ones it has no address outside of the network at all.
    enable_private_endpoint = alltrue([for cidr in var.allowed_cidrs : can(regex("^(10|192\\.168|172\\.(1[6-9]|2[0-9]|3[01]))\\.", cidr))])
  }

  master_authorized_networks_config {
    gcp_public_cidrs_access_enabled = false

    dynamic "cidr_blocks" {
      for_each = var.allowed_cidrs

      content {
        cidr_block = cidr_blocks.value
      }
    }
  }

  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account = google_service_account.nodes.email
      oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    }
  }

  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  release_channel {
    channel = "REGULAR"
  }
}

resource "google_artifact_registry_repository" "this" {
  # checkov:skip=CKV_GCP_84:holds code, no data; Google's own encryption is on.
  repository_id = var.name
  location      = var.region
  format        = "DOCKER"

  # An image of a version is what it was when it was tested.
  docker_config {
    immutable_tags = true
  }

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"

    most_recent_versions {
      keep_count = 20
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      older_than = "7776000s"
    }
  }
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  repository = google_artifact_registry_repository.this.name
  location   = google_artifact_registry_repository.this.location
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}

# Airflow's service account in Kubernetes, and nothing else in the cluster, acts as Airflow's identity.
resource "google_service_account_iam_binding" "workload_identity" {
  service_account_id = var.airflow_service_account_id
  role               = "roles/iam.workloadIdentityUser"
  members            = ["serviceAccount:${var.project_id}.svc.id.goog[${var.kubernetes_namespace}/${var.kubernetes_service_account}]"]

  # The pool comes with the first cluster of a project.
  depends_on = [google_container_cluster.this]
}

resource "google_service_account_iam_binding" "eraser" {
  count = length(var.eraser_service_account_ids)

  service_account_id = var.eraser_service_account_ids[count.index]
  role               = "roles/iam.workloadIdentityUser"
  members            = ["serviceAccount:${var.project_id}.svc.id.goog[${var.kubernetes_namespace}/eraser]"]

  depends_on = [google_container_cluster.this]
}

# Starts, watches and ends Spark jobs of the mode that was chosen.
resource "google_project_iam_custom_role" "spark_starter" {
  role_id = "${replace(var.name, "-", "_")}_spark_starter_${var.role_suffix}"
  title   = "${var.name}: Airflow starts Spark"

  permissions = concat(
    ["dataproc.operations.cancel", "dataproc.operations.get"],
    var.spark_runtime == "dataproc_serverless" ? [
      "dataproc.batches.cancel",
      "dataproc.batches.create",
      "dataproc.batches.delete",
      "dataproc.batches.get",
      "dataproc.batches.list",
      ] : [
      "dataproc.clusters.create",
      "dataproc.clusters.delete",
      "dataproc.clusters.get",
      "dataproc.clusters.use",
      "dataproc.jobs.cancel",
      "dataproc.jobs.create",
      "dataproc.jobs.get",
      "dataproc.jobs.list",
    ],
  )
}

resource "google_project_iam_member" "spark_starter" {
  project = var.project_id
  role    = google_project_iam_custom_role.spark_starter.id
  member  = var.airflow_member
}

# Of the Spark service account only.
resource "google_service_account_iam_member" "act_as_spark" {
  service_account_id = var.spark_service_account_id
  role               = "roles/iam.serviceAccountUser"
  member             = var.airflow_member
}

# What Airflow reads at run time: one secret for each variable and connection. There is no password in them.
resource "google_secret_manager_secret" "setting" {
  for_each = toset(concat(
    [for name in keys(var.variables) : "${var.variables_prefix}-${name}"],
    [for name in keys(var.connections) : "${var.connections_prefix}-${name}"],
  ))

  secret_id = each.key

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

resource "google_secret_manager_secret_version" "setting" {
  for_each = merge(
    { for name, value in var.variables : "${var.variables_prefix}-${name}" => value },
    { for name, value in var.connections : "${var.connections_prefix}-${name}" => value },
  )

  secret      = google_secret_manager_secret.setting[each.key].id
  secret_data = each.value
}

resource "google_secret_manager_secret_iam_binding" "setting" {
  for_each = google_secret_manager_secret.setting

  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  members   = [var.airflow_member]
}

# Airflow's own database: runs, users, logs of events. No data of the company.
resource "google_sql_database_instance" "metadata" {
  # checkov:skip=CKV_GCP_6:only encrypted connections are let in; a client certificate would be one more secret to keep.
  # checkov:skip=CKV_GCP_79:17 is what Airflow and the jobs are tested with; newer ones by choice, not by a scan.
  name                = "${var.name}-airflow"
  region              = var.region
  database_version    = "POSTGRES_${var.postgresql_version}"
  deletion_protection = !var.ephemeral

  settings {
    tier                        = { small = "db-f1-micro", large = "db-custom-2-7680" }[var.size]
    edition                     = "ENTERPRISE"
    availability_type           = { small = "ZONAL", large = "REGIONAL" }[var.size]
    disk_autoresize             = true
    deletion_protection_enabled = !var.ephemeral

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = !var.ephemeral
    }

    ip_configuration {
      ipv4_enabled    = false
      private_network = var.network_id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    # Who did what and when; never the values in a statement.
    database_flags {
      name  = "cloudsql.enable_pgaudit"
      value = "on"
    }

    database_flags {
      name  = "log_checkpoints"
      value = "on"
    }

    database_flags {
      name  = "log_connections"
      value = "on"
    }

    database_flags {
      name  = "log_disconnections"
      value = "on"
    }

    database_flags {
      name  = "log_duration"
      value = "on"
    }

    database_flags {
      name  = "log_hostname"
      value = "on"
    }

    database_flags {
      name  = "log_lock_waits"
      value = "on"
    }

    database_flags {
      name  = "log_min_error_statement"
      value = "error"
    }

    database_flags {
      name  = "log_statement"
      value = "ddl"
    }
  }
}

# Without a value: `make deploy` sets a password that Terraform never sees.
resource "google_secret_manager_secret" "metadata_admin" {
  secret_id = "${var.name}-airflow-admin"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}
