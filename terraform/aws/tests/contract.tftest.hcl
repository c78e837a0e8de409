# The whole stack with every answer of AWS made up: no account, no network. What the state of these runs must promise is
# in terraform/tests/test_aws_*.py.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment        = "test"
  region             = "eu-west-1"
  budget_monthly_usd = 300
  alert_email        = "data@example.com"
  start_date         = "2021-01-01"

  cluster_administrators = ["arn:aws:iam::123456789012:role/deploy", "arn:aws:iam::123456789012:user/ann"]
}

run "serverless" {
  state_key = "serverless"

  assert {
    condition     = output.staging_uri == "s3://movie-analytics-test-staging-123456789012"
    error_message = "A bucket's name is project-environment-layer-account."
  }

  assert {
    condition     = output.spark_runtime == "emr_serverless" && output.spark.emr_serverless_application_id != ""
    error_message = "Airflow knows the EMR Serverless application."
  }

  assert {
    condition     = output.warehouse.REDSHIFT_WORK_GROUP == "movie-analytics-test" && output.warehouse.REDSHIFT_CLUSTER_ID == ""
    error_message = "dbt knows the work group."
  }
}

# Of the stack above: terraform/tests/test_versions.py looks at what the plan would do to it.
run "newer_versions" {
  state_key = "serverless"
  command   = plan

  variables {
    versions = {
      kubernetes = { version = "1.36", supported_until = "2999-01-01" }
      postgresql = { version = "18", supported_until = null }
      emr        = { version = "emr-spark-8.1.0", supported_until = null }
    }
  }
}

run "cluster_and_provisioned" {
  state_key = "cluster_and_provisioned"

  variables {
    spark_mode     = "cluster"
    warehouse_mode = "provisioned"
    ephemeral      = true
    allowed_cidrs  = ["198.51.100.0/24", "10.20.128.0/20"]
  }

  assert {
    condition     = output.spark_runtime == "emr" && output.spark.emr_service_role == "movie-analytics-test-emr" && output.spark.emr_instance_profile == "movie-analytics-test-spark-job"
    error_message = "Airflow knows what to start a cluster with."
  }

  assert {
    condition     = output.warehouse.REDSHIFT_WORK_GROUP == "" && output.warehouse.REDSHIFT_CLUSTER_ID == "movie-analytics-test"
    error_message = "dbt knows the cluster."
  }
}

run "glue_and_large" {
  state_key = "glue_and_large"

  variables {
    spark_mode = "glue"
    size       = "large"
  }

  assert {
    condition     = output.spark_runtime == "glue" && output.spark.glue_job_name == "movie-analytics-test-spark"
    error_message = "Airflow knows the Glue job."
  }
}

run "newer_glue" {
  state_key = "glue_and_large"
  command   = plan

  variables {
    spark_mode = "glue"
    size       = "large"
    versions = {
      glue = { version = "6.1", supported_until = null }
      # No warning of what no job runs on.
      emr = { version = "emr-spark-8.0.0", supported_until = "2020-01-01" }
    }
  }
}

run "other_zones" {
  state_key = "other_zones"
  command   = plan

  variables {
    zones = ["eu-west-1a", "eu-west-1b", "eu-west-1d"]
  }
}

run "with_an_eraser" {
  state_key = "with_an_eraser"

  variables {
    eraser = true
  }

  assert {
    condition     = output.eraser_identity == "arn:aws:iam::123456789012:role/movie-analytics-test-eraser"
    error_message = "The runbook takes the role from the outputs."
  }
}

run "warns_three_months_before_support_ends" {
  command = plan

  variables {
    versions = { kubernetes = { version = "1.35", supported_until = formatdate("YYYY-MM-DD", timeadd(timestamp(), "2136h")) } }
  }

  expect_failures = [check.versions_are_supported]
}

run "does_not_warn_earlier" {
  command = plan

  variables {
    versions = { kubernetes = { version = "1.35", supported_until = formatdate("YYYY-MM-DD", timeadd(timestamp(), "2208h")) } }
  }
}

run "refuses_versions_without_spark_4_and_zones_of_another_region" {
  command = plan

  variables {
    zones    = ["eu-west-1a", "eu-west-1b", "us-east-1c"]
    versions = { emr = { version = "emr-7.10.0", supported_until = null } }
  }

  expect_failures = [var.zones, var.versions]
}

run "refuses_two_zones_and_a_version_of_nothing" {
  command = plan

  variables {
    zones    = ["eu-west-1a", "eu-west-1b", "eu-west-1b"]
    versions = { kubernets = { version = "1.36", supported_until = null } }
  }

  expect_failures = [var.zones, var.versions]
}

run "refuses_support_until_no_day" {
  command = plan

  variables {
    versions = { postgresql = { version = "18", supported_until = "2030-14-11" } }
  }

  expect_failures = [var.versions]
}

run "refuses_a_zone_that_kubernetes_does_not_take" {
  command = plan

  module {
    source = "../modules/aws/network"
  }

  variables {
    name         = "movie-analytics-test"
    cidr         = "10.20.0.0/16"
    zones        = ["eu-west-1a", "eu-west-1b", "eu-west-1e"]
    nat_per_zone = false
    kms_key_arn  = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  }

  expect_failures = [data.aws_availability_zones.available]
}

run "refuses_other_words" {
  command = plan

  variables {
    project               = "Movie_Analytics"
    environment           = "p"
    size                  = "huge"
    spark_mode            = "local"
    warehouse_mode        = "duckdb"
    pseudonym_key_version = 1.5
    labels                = { "Cost Centre" = "4711" }
    warehouse_readers     = ["PUBLIC; drop table x"]
    warehouse_analysts    = ["arn:aws:iam::123456789012:role/x"]

    cluster_administrators = ["arn:aws:sts::123456789012:assumed-role/x/session"]
  }

  expect_failures = [
    var.project, var.environment, var.size, var.spark_mode, var.warehouse_mode, var.pseudonym_key_version, var.labels,
    var.warehouse_readers, var.warehouse_analysts, var.cluster_administrators,
  ]
}

run "refuses_other_forms" {
  command = plan

  variables {
    region             = "Ireland"
    network_cidr       = "10.20.0.0/24"
    budget_monthly_usd = 0
    alert_email        = "somebody"
    start_date         = "2021-13-01"
  }

  expect_failures = [var.region, var.network_cidr, var.budget_monthly_usd, var.alert_email, var.start_date]
}

run "refuses_no_administrator_and_a_region_without_spark" {
  command = plan

  variables {
    region                 = "me-south-1"
    cluster_administrators = []
  }

  expect_failures = [var.region, var.cluster_administrators]
}

run "refuses_a_region_of_two_zones" {
  command = plan

  module {
    source = "../modules/aws/network"
  }

  override_data {
    target = data.aws_availability_zones.available
    values = { names = ["us-west-1a", "us-west-1c"] }
  }

  variables {
    name         = "movie-analytics-test"
    region       = "us-west-1"
    cidr         = "10.20.0.0/16"
    zones        = null
    nat_per_zone = false
    kms_key_arn  = "arn:aws:kms:us-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  }

  expect_failures = [data.aws_availability_zones.available]
}

run "refuses_the_world" {
  command = plan

  variables {
    allowed_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.allowed_cidrs]
}
