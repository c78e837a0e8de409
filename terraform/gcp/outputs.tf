# What deploy/, Airflow and dbt must know. The same names in aws/ and gcp/; nothing here is secret.

output "region" {
  description = "Region of all resources."
  value       = var.region
}

output "raw_uri" {
  description = "Where the vendors' files arrive."
  value       = module.lake.uris["raw"]
}

output "staging_uri" {
  description = "Where Spark and the export write Parquet."
  value       = module.lake.uris["staging"]
}

output "quarantine_uri" {
  description = "Where rejected records go; personal data."
  value       = module.lake.uris["quarantine"]
}

output "quarantine_key_id" {
  description = "Key of the raw records in quarantine, as QUARANTINE_KEY_ID takes it."
  value       = module.lake.quarantine_key_id
}

output "suppression_secret_id" {
  description = "Secret with the key of the list of erased customers, as SUPPRESSION_SECRET_ID takes it; deploy writes its value once."
  value       = module.lake.suppression_secret_id
}

output "eraser_identity" {
  description = "Identity in the cloud of the Kubernetes service account eraser (AWS: the role's ARN; GCP: the service account's e-mail), or none."
  value       = coalesce(one(google_service_account.eraser[*].email), "none")
}

output "artifacts_uri" {
  description = "Where deploy puts the Spark package, and Airflow its logs."
  value       = module.lake.uris["artifacts"]
}

output "shop_host" {
  description = "Host of the shop's PostgreSQL."
  value       = module.shop.host
}

output "shop_database" {
  description = "Database of the shop."
  value       = module.shop.database
}

output "shop_user" {
  description = "Database user of Airflow, which logs in by the cloud's identity, without a password; deploy creates it."
  value       = module.shop.user
}

output "shop_secret_id" {
  description = "Secret with the administrator's name and password of the shop's PostgreSQL, for deploy only."
  value       = module.shop.admin_secret_id
}

output "pseudonym_secret_id" {
  description = "Secret with the key of the pseudonyms, as PSEUDONYM_SECRET_ID takes it; deploy writes its value once for each version."
  value       = module.spark.pseudonym_secret_id
}

output "pseudonym_key_version" {
  description = "Version of the key of the pseudonyms; it must exist."
  value       = var.pseudonym_key_version
}

output "spark_runtime" {
  description = "SPARK_RUNTIME of Airflow."
  value       = module.spark.runtime
}

output "spark" {
  description = "Airflow's variable spark: how a Spark job is started."
  value       = module.spark.settings
}

output "dbt_target" {
  description = "DBT_TARGET of Airflow and dbt."
  value       = "bigquery"
}

output "warehouse" {
  description = "Airflow's variable warehouse: the environment variables that profiles_template.yml and the external tables read."
  value       = local.warehouse
}

output "warehouse_admin_secret_id" {
  description = "Secret with the warehouse administrator's password, for deploy only; empty if an identity is enough."
  value       = ""
}

output "cluster_name" {
  description = "Kubernetes cluster of Airflow."
  value       = module.orchestrator.cluster_name
}

output "airflow_namespace" {
  description = "Kubernetes namespace of Airflow."
  value       = local.airflow_namespace
}

output "airflow_service_account" {
  description = "Kubernetes service account of Airflow; no other may take airflow_identity."
  value       = local.airflow_service_account
}

output "airflow_identity" {
  description = "Identity in the cloud of that service account (AWS: the role's ARN; GCP: the service account's e-mail)."
  value       = google_service_account.airflow.email
}

output "airflow_variables_prefix" {
  description = "variables_prefix of Airflow's secrets backend."
  value       = local.airflow_variables_prefix
}

output "airflow_connections_prefix" {
  description = "connections_prefix of Airflow's secrets backend."
  value       = local.airflow_connections_prefix
}

output "metadata_host" {
  description = "Host of Airflow's own PostgreSQL."
  value       = module.orchestrator.metadata_host
}

output "metadata_secret_id" {
  description = "Secret with the administrator's name and password of Airflow's own PostgreSQL, for deploy only."
  value       = module.orchestrator.metadata_secret_id
}

output "image_repository" {
  description = "Where deploy pushes Airflow's image."
  value       = module.orchestrator.image_repository
}

output "warehouse_analysts" {
  description = "Principals that read everything but the pseudonyms."
  value       = var.warehouse_analysts
}

output "warehouse_readers" {
  description = "Principals that read the marts without the customers."
  value       = var.warehouse_readers
}
