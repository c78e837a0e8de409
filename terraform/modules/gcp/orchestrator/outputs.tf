output "cluster_name" {
  description = "Kubernetes cluster."
  value       = google_container_cluster.this.name
}

output "image_repository" {
  description = "Where Airflow's image is pushed and pulled."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.this.repository_id}/airflow"
}

output "metadata_host" {
  description = "Private address of Airflow's own PostgreSQL."
  value       = google_sql_database_instance.metadata.private_ip_address
}

output "metadata_secret_id" {
  description = "Secret with the administrator's name and password of Airflow's own PostgreSQL; make deploy writes it."
  value       = google_secret_manager_secret.metadata_admin.id
}
