# The shop's PostgreSQL, with a private address only. Airflow logs in by its service account, without a password.

resource "google_sql_database_instance" "this" {
  # checkov:skip=CKV_GCP_6:only encrypted connections are let in; a client certificate would be one more secret to keep.
  # checkov:skip=CKV_GCP_79:17 is what Airflow and the jobs are tested with; newer ones by choice, not by a scan.
  name                = "${var.name}-shop"
  region              = var.region
  database_version    = "POSTGRES_${var.postgresql_version}"
  deletion_protection = !var.ephemeral

  settings {
    tier                        = { small = "db-f1-micro", large = "db-custom-2-7680" }[var.size]
    edition                     = "ENTERPRISE"
    availability_type           = { small = "ZONAL", large = "REGIONAL" }[var.size]
    disk_autoresize             = true
    deletion_protection_enabled = !var.ephemeral
    retain_backups_on_delete    = !var.ephemeral

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
      name  = "cloudsql.iam_authentication"
      value = "on"
    }

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

resource "google_sql_database" "this" {
  name     = "shop"
  instance = google_sql_database_instance.this.name
}

# May log in and nothing else: `make deploy` grants it the table.
resource "google_sql_user" "airflow" {
  name     = trimsuffix(var.airflow_email, ".gserviceaccount.com")
  instance = google_sql_database_instance.this.name
  type     = "CLOUD_IAM_SERVICE_ACCOUNT"

  # A user with grants cannot be dropped; it goes with its instance.
  deletion_policy = "ABANDON"
}

# Of this instance only.
resource "google_project_iam_member" "login" {
  project = var.project_id
  role    = "roles/cloudsql.instanceUser"
  member  = "serviceAccount:${var.airflow_email}"

  condition {
    title      = "only ${google_sql_database_instance.this.name}"
    expression = "resource.service == \"sqladmin.googleapis.com\" && resource.name == \"projects/${var.project_id}/instances/${google_sql_database_instance.this.name}\""
  }
}

# Without a value: `make deploy` sets a password that Terraform never sees.
resource "google_secret_manager_secret" "admin" {
  secret_id = "${var.name}-shop-admin"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}
