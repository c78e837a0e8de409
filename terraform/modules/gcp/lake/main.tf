# Four private buckets. raw: as delivered, personal data. staging: Parquet by day, pseudonyms. quarantine: rejected records
# as delivered, personal data. artifacts: the Spark package, docs and logs. Who may do what in them: policies.tf.

locals {
  layers = toset(["raw", "staging", "quarantine", "artifacts"])

  # Objects of a layer that are deleted automatically, by folder, after so many days. A day that is run again puts its rejected
  # records back; who read them (quarantine's folder read/) stays. None of staging: the run that a day's delivery row names may be
  # years old.
  expiry_days = {
    quarantine = { for folder in local.table_folders : folder => 90 }
    artifacts  = { "airflow-logs/" = 90 }
  }
}

data "google_storage_project_service_account" "this" {
  count = var.ephemeral ? 0 : 1
}

# A key ring cannot be deleted, so a trial stack could not be made a second time under its name: it does with the
# encryption that Google puts on everything.
resource "google_kms_key_ring" "this" {
  count = var.ephemeral ? 0 : 1

  name     = "${var.name}-lake"
  location = var.region
}

resource "google_kms_crypto_key" "lake" {
  # checkov:skip=CKV_GCP_82:a destroyed key can be called back for 30 days, and make destroy has to be possible.
  count = var.ephemeral ? 0 : 1

  name            = "lake"
  key_ring        = google_kms_key_ring.this[0].id
  rotation_period = "7776000s"

  # Destroyed by mistake, it can be called back for a month, and with it everything it encrypts.
  destroy_scheduled_duration = "2592000s"
}

# Only Cloud Storage uses the key.
resource "google_kms_crypto_key_iam_binding" "lake" {
  count = var.ephemeral ? 0 : 1

  crypto_key_id = google_kms_crypto_key.lake[0].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  members       = [data.google_storage_project_service_account.this[0].member]
}

resource "google_kms_key_ring" "quarantine" {
  name     = "${var.name}-quarantine-${var.key_suffix}"
  location = var.region
}

# Encrypts the keys of the raw records in quarantine, inside their files (spark_prep/contract/encryption.py): whoever gets at a file has
# nothing of it without this key.
resource "google_kms_crypto_key" "quarantine" {
  # checkov:skip=CKV_GCP_82:a destroyed key can be called back for 30 days, and make destroy has to be possible.
  name                       = "quarantine"
  key_ring                   = google_kms_key_ring.quarantine.id
  rotation_period            = "7776000s" # what was encrypted before is still decrypted
  destroy_scheduled_duration = "2592000s"
}

# The jobs encrypt and cannot decrypt.
resource "google_kms_crypto_key_iam_binding" "encrypt_raw_records" {
  crypto_key_id = google_kms_crypto_key.quarantine.id
  role          = "roles/cloudkms.cryptoKeyEncrypter"
  members       = concat([var.spark_member, var.airflow_member], var.eraser_members)
}

resource "google_kms_crypto_key_iam_binding" "decrypt_raw_records" {
  count = length(var.eraser_members) == 0 ? 0 : 1

  crypto_key_id = google_kms_crypto_key.quarantine.id
  role          = "roles/cloudkms.cryptoKeyDecrypter"
  members       = var.eraser_members
}

# The key of the list of erased customers, which is never replaced: nobody could tell any more whom to leave out. Terraform makes the
# place, `make deploy` the value.
resource "google_secret_manager_secret" "suppression_key" {
  secret_id           = "${var.name}-suppression-key"
  deletion_protection = !var.ephemeral

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

resource "google_secret_manager_secret_iam_binding" "suppression_key" {
  secret_id = google_secret_manager_secret.suppression_key.id
  role      = "roles/secretmanager.secretAccessor"
  members   = concat([var.spark_member, var.airflow_member], var.eraser_members)
}

# Who decrypted raw records, read an object or a secret: Google records it only if it is asked to. Of the whole project.
resource "google_project_iam_audit_config" "reading" {
  for_each = toset(["cloudkms.googleapis.com", "secretmanager.googleapis.com", "storage.googleapis.com"])

  project = var.project_id
  service = each.key

  audit_log_config {
    log_type = "DATA_READ"
  }
}

resource "google_storage_bucket" "layer" {
  # checkov:skip=CKV_GCP_62:Cloud Audit Logs (google_project_iam_audit_config.reading) know who it was; usage logs do not.
  for_each = local.layers

  # The project's id, because bucket names are the whole world's.
  name                        = "${var.name}-${each.key}-${var.project_id}"
  location                    = var.region
  force_destroy               = var.ephemeral
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  # What was replaced or removed is kept for a month.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      days_since_noncurrent_time = 30
      with_state                 = "ARCHIVED"
    }
  }

  dynamic "lifecycle_rule" {
    for_each = lookup(local.expiry_days, each.key, {})

    content {
      action {
        type = "Delete"
      }

      condition {
        age            = lifecycle_rule.value
        matches_prefix = [lifecycle_rule.key]
      }
    }
  }

  dynamic "encryption" {
    for_each = google_kms_crypto_key.lake[*].id

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_kms_crypto_key_iam_binding.lake]
}
