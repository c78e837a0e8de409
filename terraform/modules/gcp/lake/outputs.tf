output "uris" {
  description = "Address of each layer: raw, staging, quarantine, artifacts."
  value       = { for layer, bucket in google_storage_bucket.layer : layer => "gs://${bucket.name}" }
  depends_on  = [google_storage_bucket_iam_policy.layer]
}
