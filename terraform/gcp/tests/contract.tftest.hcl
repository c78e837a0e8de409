# The whole stack with every call to Google mocked: no project, no network, no cost. What it promises about safety is
# checked on the outcome by terraform/tests/test_gcp_promises.py.

mock_provider "google" {
  source = "./tests/mocks"
}

# Two identities that must not be mixed up.
override_resource {
  target = google_service_account.airflow
  values = {
    unique_id = "104857600000000000001"
    name      = "projects/demo-project/serviceAccounts/airflow@demo-project.iam.gserviceaccount.com"
    email     = "airflow@demo-project.iam.gserviceaccount.com"
    member    = "serviceAccount:airflow@demo-project.iam.gserviceaccount.com"
  }
}

override_resource {
  target = module.spark.google_service_account.this
  values = {
    name   = "projects/demo-project/serviceAccounts/spark@demo-project.iam.gserviceaccount.com"
    email  = "spark@demo-project.iam.gserviceaccount.com"
    member = "serviceAccount:spark@demo-project.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.eraser
  values = {
    name   = "projects/demo-project/serviceAccounts/eraser@demo-project.iam.gserviceaccount.com"
    email  = "eraser@demo-project.iam.gserviceaccount.com"
    member = "serviceAccount:eraser@demo-project.iam.gserviceaccount.com"
  }
}

override_resource {
  target = module.lake.google_secret_manager_secret.suppression_key
  values = {
    id = "projects/demo-project/secrets/movie-analytics-prod-suppression-key"
  }
}

override_resource {
  target = module.orchestrator.google_service_account.nodes
  values = {
    name   = "projects/demo-project/serviceAccounts/nodes@demo-project.iam.gserviceaccount.com"
    email  = "nodes@demo-project.iam.gserviceaccount.com"
    member = "serviceAccount:nodes@demo-project.iam.gserviceaccount.com"
  }
}

override_resource {
  target = module.spark.google_secret_manager_secret.pseudonym_key
  values = {
    id = "projects/demo-project/secrets/movie-analytics-prod-pseudonym-key"
  }
}

override_resource {
  target = module.lake.google_kms_crypto_key.quarantine
  values = {
    id = "projects/demo-project/locations/europe-west1/keyRings/quarantine/cryptoKeys/quarantine"
  }
}

variables {
  gcp_project_id     = "demo-project"
  environment        = "prod"
  region             = "europe-west1"
  start_date         = "2021-01-01"
  budget_monthly_usd = 300
  alert_email        = "data@example.com"
  warehouse_analysts = ["group:analysts@example.com"]
  warehouse_readers  = ["group:bi@example.com"]
}

run "serverless" {
  command = apply

  variables {
    allowed_cidrs = ["10.99.0.0/24"]
  }

  assert {
    condition     = output.raw_uri == "gs://movie-analytics-prod-raw-demo-project"
    error_message = "A bucket is named after project, environment, layer and Google project."
  }

  assert {
    condition     = output.spark_runtime == "dataproc_serverless"
    error_message = "spark_mode serverless is Dataproc's batches."
  }

  assert {
    condition = toset(keys(output.spark)) == toset([
      "project", "name", "region", "subnetwork", "service_account", "dataproc_runtime_version", "dataproc_image_version",
      "dataproc_machine_type", "dataproc_worker_count", "staging_bucket", "pseudonym_secret_id",
    ])
    error_message = "Airflow's variable spark must have exactly the keys that the DAGs read."
  }

  assert {
    condition     = output.pseudonym_secret_id == "projects/demo-project/secrets/movie-analytics-prod-pseudonym-key/versions/1"
    error_message = "The key of the pseudonyms is named with its version."
  }

  assert {
    condition     = output.warehouse["STAGING_URI"] == output.staging_uri && output.warehouse["DBT_TARGET"] == "bigquery"
    error_message = "dbt must know the staging layer and its target."
  }
}

# Of the stack above: terraform/tests/test_versions.py looks at the plan.
run "newer_versions" {
  command = plan

  variables {
    allowed_cidrs = ["10.99.0.0/24"]
    versions = {
      postgresql       = { version = "18", supported_until = "2999-01-01" }
      dataproc_runtime = { version = "3.1", supported_until = null }
      # No warning of what no job runs on.
      dataproc_image = { version = "3.1-debian13", supported_until = "2020-01-01" }
    }
  }
}

run "cluster_and_provisioned" {
  command = apply

  variables {
    environment    = "test"
    spark_mode     = "cluster"
    warehouse_mode = "provisioned"
    size           = "large"
    ephemeral      = true
    allowed_cidrs  = ["203.0.113.0/24"]
  }

  assert {
    condition     = output.spark_runtime == "dataproc" && output.spark.dataproc_worker_count == 4
    error_message = "spark_mode cluster is a Dataproc cluster, and a large one has four workers."
  }

  assert {
    condition     = output.spark.name == "movie-analytics-test"
    error_message = "The day's cluster is named after the environment: two may share a project."
  }

  # Image 3.0 is generally available on Debian 13 only:
  # docs.cloud.google.com/managed-spark/docs/concepts/versioning/image-release-3.0
  assert {
    condition     = output.spark.dataproc_image_version == "3.0-debian13"
    error_message = "The image of a Dataproc cluster is one that is generally available."
  }
}

run "with_an_eraser" {
  command = apply

  variables {
    environment   = "erase"
    allowed_cidrs = ["10.99.0.0/24"]
    eraser        = true
  }

  assert {
    condition     = output.eraser_identity == "eraser@demo-project.iam.gserviceaccount.com"
    error_message = "The runbook takes the service account from the outputs."
  }
}

run "warns_three_months_before_support_ends" {
  command = plan

  variables {
    versions = { dataproc_runtime = { version = "3.0", supported_until = formatdate("YYYY-MM-DD", timeadd(timestamp(), "2136h")) } }
  }

  expect_failures = [check.versions_are_supported]
}

run "does_not_warn_earlier" {
  command = plan

  variables {
    versions = { dataproc_runtime = { version = "3.0", supported_until = formatdate("YYYY-MM-DD", timeadd(timestamp(), "2208h")) } }
  }
}

run "refuses_versions_without_spark_4" {
  command = plan

  variables {
    versions = { dataproc_runtime = { version = "2.3", supported_until = null } }
  }

  expect_failures = [var.versions]
}

run "refuses_a_version_of_nothing" {
  command = plan

  variables {
    versions = { kubernetes = { version = "1.36", supported_until = null } }
  }

  expect_failures = [var.versions]
}

run "refuses_support_until_no_day" {
  command = plan

  variables {
    versions = { postgresql = { version = "18", supported_until = "2030-14-11" } }
  }

  expect_failures = [var.versions]
}

run "refuses_what_is_wrong" {
  command = plan

  variables {
    project            = "Movie_Analytics"
    region             = "eu-west-1"
    spark_mode         = "glue"
    allowed_cidrs      = ["0.0.0.0/0"]
    network_cidr       = "8.8.8.0/24"
    start_date         = "01.01.2021"
    alert_email        = "nobody"
    budget_monthly_usd = 0
    warehouse_readers  = ["allUsers"]
    warehouse_analysts = ["allAuthenticatedUsers"]
  }

  expect_failures = [
    var.project, var.region, var.spark_mode, var.allowed_cidrs, var.network_cidr, var.start_date, var.alert_email,
    var.budget_monthly_usd, var.warehouse_readers, var.warehouse_analysts,
  ]
}

run "refuses_names_that_are_too_long" {
  command = plan

  variables {
    project     = "a-project-name-of-20"
    environment = "production"
  }

  expect_failures = [var.environment]
}
