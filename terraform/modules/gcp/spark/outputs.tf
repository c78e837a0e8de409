output "email" {
  description = "Service account of the Spark jobs."
  value       = google_service_account.this.email
}

output "member" {
  description = "The same, as IAM names it."
  value       = google_service_account.this.member
}

output "service_account_id" {
  description = "The same, as a resource on which permissions can be granted."
  value       = google_service_account.this.name
}

output "runtime" {
  description = "SPARK_RUNTIME of Airflow."
  value       = { serverless = "dataproc_serverless", cluster = "dataproc" }[var.mode]
}

output "pseudonym_secret_id" {
  description = "The version of the secret that is the key of the pseudonyms."
  value       = "${google_secret_manager_secret.pseudonym_key.id}/versions/${var.pseudonym_key_version}"
}

output "settings" {
  description = "Airflow's variable spark."
  value = {
    project                  = var.project_id
    name                     = var.name
    region                   = var.region
    subnetwork               = var.subnet_id
    service_account          = google_service_account.this.email
    dataproc_runtime_version = var.dataproc_runtime
    dataproc_image_version   = var.dataproc_image
    dataproc_machine_type    = local.machine_type
    dataproc_worker_count    = local.worker_count
    staging_bucket           = google_storage_bucket.scratch.name
    pseudonym_secret_id      = "${google_secret_manager_secret.pseudonym_key.id}/versions/${var.pseudonym_key_version}"
  }
  depends_on = [google_project_iam_member.worker, google_storage_bucket_iam_member.scratch]
}
