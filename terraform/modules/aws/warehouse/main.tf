# Redshift, by the query (serverless) or as a machine (provisioned); the role it reads the lake with; the catalogue of the
# external tables, which dbt makes. The administrator's password is kept by Redshift; dbt logs in with Airflow's role.

locals {
  is_serverless = var.mode == "serverless"
  database      = "analytics"
  port          = 5439
  # Units of Redshift Serverless to start with and at most, and hours of a unit that a day may cost; machines of a cluster.
  capacity = {
    small = { base = 8, most = 32, unit_hours = 64, nodes = 1 }
    large = { base = 32, most = 128, unit_hours = 256, nodes = 2 }
  }[var.size]
  # A query that runs longer is ended, as on BigQuery (profiles_template.yml).
  query_seconds = 3600
  catalog_arn   = "arn:aws:glue:${var.region}:${var.account_id}"
}

resource "aws_glue_catalog_database" "staging" {
  name         = replace("${var.name}_staging", "-", "_")
  description  = "External tables over the staging layer; dbt creates them."
  location_uri = "${var.staging_uri}/"
}

resource "aws_iam_role" "spectrum" {
  name        = "${var.name}-spectrum"
  description = "What Redshift reads the staging layer and its catalogue as"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = local.is_serverless ? ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"] : ["redshift.amazonaws.com"] }
      # Without aws:SourceAccount: no document says that Spectrum sends it, and without it no external table could be read.
      # Only who may pass this role, in this account, can give it to a warehouse.
    }]
  })
}

resource "aws_iam_role_policy" "lake" {
  name   = "lake"
  role   = aws_iam_role.spectrum.name
  policy = var.lake_policy_json
}

resource "aws_iam_role_policy" "catalog" {
  name = "catalog"
  role = aws_iam_role.spectrum.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "KeepExternalTables"
      Effect = "Allow"
      # CreateDatabase: dbt says "create external database if not exists".
      Action = [
        "glue:GetDatabase", "glue:GetDatabases", "glue:CreateDatabase",
        "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable",
        "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition", "glue:CreatePartition", "glue:BatchCreatePartition",
        "glue:UpdatePartition", "glue:DeletePartition", "glue:BatchDeletePartition",
      ]
      Resource = [
        "${local.catalog_arn}:catalog",
        "${local.catalog_arn}:database/${aws_glue_catalog_database.staging.name}",
        "${local.catalog_arn}:table/${aws_glue_catalog_database.staging.name}/*",
      ]
    }]
  })
}

resource "aws_security_group" "this" {
  name        = "${var.name}-warehouse"
  description = "Redshift"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-warehouse" }
}

resource "aws_vpc_security_group_ingress_rule" "airflow" {
  security_group_id            = aws_security_group.this.id
  description                  = "Redshift from Airflow"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

# Enhanced VPC routing sends the reads of the lake and its catalogue through the network: S3 by the endpoint, Glue by NAT.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "AWS services"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_redshiftserverless_namespace" "this" {
  count = local.is_serverless ? 1 : 0

  namespace_name                   = var.name
  db_name                          = local.database
  admin_username                   = "warehouse_admin"
  manage_admin_password            = true
  admin_password_secret_kms_key_id = var.kms_key_arn
  default_iam_role_arn             = aws_iam_role.spectrum.arn
  iam_roles                        = [aws_iam_role.spectrum.arn]
  kms_key_id                       = var.kms_key_arn
  log_exports                      = ["userlog", "connectionlog", "useractivitylog"]
}

resource "aws_redshiftserverless_workgroup" "this" {
  count = local.is_serverless ? 1 : 0

  workgroup_name       = var.name
  namespace_name       = aws_redshiftserverless_namespace.this[0].namespace_name
  base_capacity        = local.capacity.base
  max_capacity         = local.capacity.most
  subnet_ids           = var.subnet_ids
  security_group_ids   = [aws_security_group.this.id]
  publicly_accessible  = false
  enhanced_vpc_routing = true

  config_parameter {
    parameter_key   = "require_ssl"
    parameter_value = "true"
  }

  config_parameter {
    parameter_key   = "max_query_execution_time"
    parameter_value = tostring(local.query_seconds)
  }

  lifecycle {
    # AWS answers with all of its parameters. Terraform would take the others away again with every apply, and AWS would
    # refuse that: nothing of what is sent is a change.
    ignore_changes = [config_parameter]

    precondition {
      condition     = length(var.subnet_ids) >= 3
      error_message = "Redshift Serverless needs three subnets in three zones."
    }
  }
}

# A budget only tells. Eight hours of the base capacity are many times what a day's build takes; beyond them queries are refused until midnight UTC.
resource "aws_redshiftserverless_usage_limit" "compute" {
  count = local.is_serverless ? 1 : 0

  resource_arn  = aws_redshiftserverless_workgroup.this[0].arn
  usage_type    = "serverless-compute"
  amount        = local.capacity.unit_hours
  period        = "daily"
  breach_action = "deactivate"
}
