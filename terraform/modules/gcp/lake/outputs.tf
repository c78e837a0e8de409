output "uris" {
  description = "Address of each layer: raw, staging, quarantine, artifacts."
  value       = { for layer, bucket in google_storage_bucket.layer : layer => "gs://${bucket.name}" }
  depends_on  = [google_storage_bucket_iam_policy.layer]
}

output "quarantine_key_id" {
  description = "Key of the raw records in quarantine."
  value       = google_kms_crypto_key.quarantine.id
  # The jobs are told of it once they may use it.
  depends_on = [google_kms_crypto_key_iam_binding.encrypt_raw_records]
}

output "suppression_secret_id" {
  description = "The version of the secret that is the key of the list of erased customers; there is only the first."
  value       = "${google_secret_manager_secret.suppression_key.id}/versions/1"
}
