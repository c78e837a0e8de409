provider "google" {
  project = var.gcp_project_id
  region  = var.region

  # For the budget, whose service is asked in the name of a project.
  billing_project       = var.gcp_project_id
  user_project_override = true

  default_labels = local.labels
}
