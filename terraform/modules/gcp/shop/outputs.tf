output "host" {
  description = "Private address of the instance."
  value       = google_sql_database_instance.this.private_ip_address
}

output "database" {
  description = "Database of the shop."
  value       = google_sql_database.this.name
}

output "user" {
  description = "Database user of Airflow."
  value       = google_sql_user.airflow.name
}

output "admin_secret_id" {
  description = "Secret with the administrator's name and password; make deploy writes it."
  value       = google_secret_manager_secret.admin.id
}
