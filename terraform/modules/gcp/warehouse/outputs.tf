output "settings" {
  description = "What profiles_template.yml reads for the target bigquery, and the policy tag for dbt."
  value = {
    BIGQUERY_METHOD              = "oauth"
    BIGQUERY_PROJECT             = var.project_id
    BIGQUERY_LOCATION            = var.region
    BIGQUERY_CUSTOMER_POLICY_TAG = google_data_catalog_policy_tag.customer.name
    DBT_SCHEMA                   = local.schema
  }
  depends_on = [google_bigquery_dataset.this, google_project_iam_member.loader]
}
