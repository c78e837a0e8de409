# The platform on AWS: six modules, the key of everything but the lake, what Airflow and dbt must know, and the budget.

data "aws_caller_identity" "current" {}

locals {
  name       = "${var.project}-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id

  airflow_namespace          = "airflow"
  airflow_service_account    = "airflow"
  airflow_variables_prefix   = "${local.name}/airflow/variables"
  airflow_connections_prefix = "${local.name}/airflow/connections"

  warehouse = merge(module.warehouse.settings, {
    DBT_TARGET  = "redshift"
    STAGING_URI = module.lake.uris["staging"]
  })

  # Airflow's variables: a secret each, which its secrets backend reads. None of them holds a password or a key.
  airflow_variables = {
    raw_uri               = module.lake.uris["raw"]
    staging_uri           = module.lake.uris["staging"]
    quarantine_uri        = module.lake.uris["quarantine"]
    artifacts_uri         = module.lake.uris["artifacts"]
    quarantine_key_id     = module.lake.quarantine_key_arn
    suppression_secret_id = module.lake.suppression_secret_id
    start_date            = var.start_date
    pseudonym_key_version = tostring(var.pseudonym_key_version)
    spark                 = jsonencode(module.spark.settings)
    warehouse             = jsonencode(local.warehouse)
  }
}

module "network" {
  source = "../modules/aws/network"

  name         = local.name
  region       = var.region
  cidr         = var.network_cidr
  zones        = var.zones
  nat_per_zone = var.size == "large"
  kms_key_arn  = aws_kms_key.platform.arn
}

module "lake" {
  source = "../modules/aws/lake"

  name             = local.name
  account_id       = local.account_id
  region           = var.region
  spark_role_arn   = module.spark.job_role_arn
  airflow_role_arn = module.orchestrator.airflow_role_arn
  eraser_role_arns = module.orchestrator.eraser_role_arns
  kms_key_arn      = aws_kms_key.platform.arn
  ephemeral        = var.ephemeral
}

# The module had this name before; the database moves with it.
moved {
  from = module.source
  to   = module.shop
}

module "shop" {
  source = "../modules/aws/shop"

  name                     = local.name
  account_id               = local.account_id
  region                   = var.region
  size                     = var.size
  postgresql_version       = local.versions.postgresql.version
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  client_security_group_id = module.orchestrator.security_group_id
  kms_key_arn              = aws_kms_key.platform.arn
  ephemeral                = var.ephemeral
}

module "spark" {
  source = "../modules/aws/spark"

  name             = local.name
  account_id       = local.account_id
  region           = var.region
  mode             = var.spark_mode
  emr_release      = local.versions.emr.version
  glue_version     = local.versions.glue.version
  size             = var.size
  subnet_id        = module.network.private_subnet_ids[0]
  lake_policy_json = module.lake.policies["spark"]
  lake_key_arn     = module.lake.kms_key_arn
  kms_key_arn      = aws_kms_key.platform.arn
  artifacts_uri    = module.lake.uris["artifacts"]
  ephemeral        = var.ephemeral
}

module "warehouse" {
  source = "../modules/aws/warehouse"

  name                     = local.name
  account_id               = local.account_id
  region                   = var.region
  mode                     = var.warehouse_mode
  size                     = var.size
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  client_security_group_id = module.orchestrator.security_group_id
  lake_policy_json         = module.lake.policies["spectrum"]
  staging_uri              = module.lake.uris["staging"]
  kms_key_arn              = aws_kms_key.platform.arn
  ephemeral                = var.ephemeral
}

module "orchestrator" {
  source = "../modules/aws/orchestrator"

  name                = local.name
  account_id          = local.account_id
  region              = var.region
  size                = var.size
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.private_subnet_ids
  kubernetes_version  = local.versions.kubernetes.version
  postgresql_version  = local.versions.postgresql.version
  allowed_cidrs       = var.allowed_cidrs
  administrators      = var.cluster_administrators
  namespace           = local.airflow_namespace
  service_account     = local.airflow_service_account
  variables_prefix    = local.airflow_variables_prefix
  connections_prefix  = local.airflow_connections_prefix
  airflow_variables   = local.airflow_variables
  airflow_connections = { shop_db = module.shop.connection }
  kms_key_arn         = aws_kms_key.platform.arn
  ephemeral           = var.ephemeral
  has_eraser          = var.eraser
  eraser_policy_json  = module.lake.policies["eraser"]
  airflow_policies = {
    lake      = module.lake.policies["airflow"]
    source    = module.shop.connect_policy_json
    spark     = module.spark.submit_policy_json
    warehouse = module.warehouse.connect_policy_json
  }
}

# Encrypts databases, warehouse, logs and secrets. The lake has a key of its own.
resource "aws_kms_key" "platform" {
  description             = "${local.name}: databases, warehouse, logs and secrets"
  enable_key_rotation     = true
  deletion_window_in_days = var.ephemeral ? 7 : 30

  # In a key's policy, "*" is this key.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "IamDecides"
        Effect    = "Allow"
        Action    = "kms:*"
        Resource  = "*"
        Principal = { AWS = "arn:aws:iam::${local.account_id}:root" }
      },
      {
        Sid       = "EncryptLogs"
        Effect    = "Allow"
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${local.account_id}:*" } }
      },
    ]
  })
}

resource "aws_kms_alias" "platform" {
  name          = "alias/${local.name}-platform"
  target_key_id = aws_kms_key.platform.key_id
}

resource "aws_budgets_budget" "this" {
  name         = local.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.budget_monthly_usd)
  limit_unit   = "USD"

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type          = notification.key
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = [var.alert_email]
    }
  }
}
