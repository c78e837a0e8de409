# The platform on Google Cloud. The same modules, variables and outputs as in ../aws.

locals {
  name = "${var.project}-${var.environment}"
  labels = merge(var.labels, {
    project     = var.project
    environment = var.environment
    managed_by  = "terraform"
  })

  airflow_namespace          = "airflow"
  airflow_service_account    = "airflow"
  airflow_variables_prefix   = "${local.name}-airflow-variables"
  airflow_connections_prefix = "${local.name}-airflow-connections"

  warehouse = merge(module.warehouse.settings, {
    DBT_TARGET  = "bigquery"
    STAGING_URI = module.lake.uris["staging"]
  })
}

resource "google_project_service" "this" {
  for_each = toset([
    "artifactregistry", "bigquery", "bigquerydatapolicy", "bigqueryreservation", "billingbudgets", "cloudbilling",
    "cloudkms", "cloudresourcemanager", "compute", "container", "datacatalog", "dataproc", "dataprocrm", "iam",
    "iamcredentials", "monitoring", "secretmanager", "servicenetworking", "sqladmin", "storage",
  ])

  service = "${each.key}.googleapis.com"
  # Others in the project may need it.
  disable_on_destroy = false
}

# Airflow, the export of purchases and dbt run as this one.
resource "google_service_account" "airflow" {
  account_id   = "${local.name}-airflow"
  display_name = "Airflow, export and dbt"

  depends_on = [google_project_service.this]
}

# Erases customers from staging and quarantine. Whoever does it runs a pod as the service account eraser, with Airflow's image.
resource "google_service_account" "eraser" {
  count = var.eraser ? 1 : 0

  account_id   = "${local.name}-eraser"
  display_name = "Erases customers"

  depends_on = [google_project_service.this]
}

module "network" {
  source = "../modules/gcp/network"

  name   = local.name
  region = var.region
  cidr   = var.network_cidr

  depends_on = [google_project_service.this]
}

module "lake" {
  source = "../modules/gcp/lake"

  name           = local.name
  project_id     = var.gcp_project_id
  region         = var.region
  spark_member   = module.spark.member
  airflow_member = google_service_account.airflow.member
  eraser_members = google_service_account.eraser[*].member
  key_suffix     = google_service_account.airflow.unique_id
  ephemeral      = var.ephemeral

  depends_on = [google_project_service.this]
}

# The module had this name before; the database moves with it.
moved {
  from = module.source
  to   = module.shop
}

module "shop" {
  source = "../modules/gcp/shop"

  name               = local.name
  project_id         = var.gcp_project_id
  region             = var.region
  network_id         = module.network.network_id
  airflow_email      = google_service_account.airflow.email
  postgresql_version = local.versions.postgresql.version
  size               = var.size
  ephemeral          = var.ephemeral

  depends_on = [google_project_service.this]
}

module "spark" {
  source = "../modules/gcp/spark"

  name                  = local.name
  project_id            = var.gcp_project_id
  region                = var.region
  mode                  = var.spark_mode
  dataproc_runtime      = local.versions.dataproc_runtime.version
  dataproc_image        = local.versions.dataproc_image.version
  size                  = var.size
  subnet_id             = module.network.spark_subnet_id
  pseudonym_key_version = var.pseudonym_key_version
  role_suffix           = google_service_account.airflow.unique_id
  ephemeral             = var.ephemeral

  depends_on = [google_project_service.this]
}

module "warehouse" {
  source = "../modules/gcp/warehouse"

  name          = local.name
  project_id    = var.gcp_project_id
  region        = var.region
  mode          = var.warehouse_mode
  size          = var.size
  loader_member = google_service_account.airflow.member
  analysts      = var.warehouse_analysts
  readers       = var.warehouse_readers
  role_suffix   = google_service_account.airflow.unique_id
  ephemeral     = var.ephemeral

  depends_on = [google_project_service.this]
}

module "orchestrator" {
  source = "../modules/gcp/orchestrator"

  name                       = local.name
  project_id                 = var.gcp_project_id
  region                     = var.region
  network_id                 = module.network.network_id
  subnet_id                  = module.network.kubernetes_subnet_id
  postgresql_version         = local.versions.postgresql.version
  allowed_cidrs              = var.allowed_cidrs
  size                       = var.size
  airflow_member             = google_service_account.airflow.member
  airflow_service_account_id = google_service_account.airflow.name
  eraser_service_account_ids = google_service_account.eraser[*].name
  kubernetes_namespace       = local.airflow_namespace
  kubernetes_service_account = local.airflow_service_account
  spark_service_account_id   = module.spark.service_account_id
  spark_runtime              = module.spark.runtime
  variables_prefix           = local.airflow_variables_prefix
  connections_prefix         = local.airflow_connections_prefix
  role_suffix                = google_service_account.airflow.unique_id
  ephemeral                  = var.ephemeral

  variables = {
    raw_uri               = module.lake.uris["raw"]
    staging_uri           = module.lake.uris["staging"]
    quarantine_uri        = module.lake.uris["quarantine"]
    artifacts_uri         = module.lake.uris["artifacts"]
    quarantine_key_id     = module.lake.quarantine_key_id
    suppression_secret_id = module.lake.suppression_secret_id
    start_date            = var.start_date
    pseudonym_key_version = tostring(var.pseudonym_key_version)
    spark                 = jsonencode(module.spark.settings)
    warehouse             = jsonencode(local.warehouse)
  }

  # "iam": the password is a token of Airflow's identity, made when the task runs.
  connections = {
    shop_db = jsonencode({
      conn_type = "postgres"
      host      = module.shop.host
      port      = 5432
      schema    = module.shop.database
      login     = module.shop.user
      extra     = { iam = true, sslmode = "require" }
    })
  }

  depends_on = [google_project_service.this]
}

# Its billing account is known only where the service cloudbilling is on.
data "google_project" "this" {
  project_id = var.gcp_project_id

  depends_on = [google_project_service.this]
}

resource "google_monitoring_notification_channel" "budget" {
  display_name = "${local.name}: budget"
  type         = "email"
  labels       = { email_address = var.alert_email }

  depends_on = [google_project_service.this]
}

resource "google_billing_budget" "this" {
  billing_account = data.google_project.this.billing_account
  display_name    = local.name

  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
  }

  amount {
    specified_amount {
      # Without a currency, in that of the billing account: Google refuses every other.
      units = tostring(floor(var.budget_monthly_usd))
    }
  }

  threshold_rules {
    threshold_percent = 0.8
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.budget.id]
  }
}
