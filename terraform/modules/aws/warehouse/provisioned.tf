# warehouse_mode = provisioned

resource "aws_redshift_subnet_group" "this" {
  count = local.is_serverless ? 0 : 1

  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_redshift_parameter_group" "this" {
  count = local.is_serverless ? 0 : 1

  name   = var.name
  family = "redshift-1.0"

  parameter {
    name  = "require_ssl"
    value = "true"
  }

  parameter {
    name  = "enable_user_activity_logging"
    value = "true"
  }

  parameter {
    name  = "statement_timeout"
    value = tostring(local.query_seconds * 1000)
  }
}

resource "aws_redshift_cluster" "this" {
  # checkov:skip=CKV_AWS_71: logging is a resource of its own, below
  count = local.is_serverless ? 0 : 1

  cluster_identifier                  = var.name
  database_name                       = local.database
  node_type                           = "ra3.large"
  cluster_type                        = local.capacity.nodes == 1 ? "single-node" : "multi-node"
  number_of_nodes                     = local.capacity.nodes
  master_username                     = "warehouse_admin"
  manage_master_password              = true
  master_password_secret_kms_key_id   = var.kms_key_arn
  encrypted                           = true
  kms_key_id                          = var.kms_key_arn
  cluster_subnet_group_name           = aws_redshift_subnet_group.this[0].name
  cluster_parameter_group_name        = aws_redshift_parameter_group.this[0].name
  vpc_security_group_ids              = [aws_security_group.this.id]
  publicly_accessible                 = false
  enhanced_vpc_routing                = true
  automated_snapshot_retention_period = var.ephemeral ? 1 : 14
  skip_final_snapshot                 = var.ephemeral
  final_snapshot_identifier           = "${var.name}-final"
  default_iam_role_arn                = aws_iam_role.spectrum.arn
  iam_roles                           = [aws_iam_role.spectrum.arn]
}

resource "aws_redshift_logging" "this" {
  count = local.is_serverless ? 0 : 1

  cluster_identifier   = aws_redshift_cluster.this[0].cluster_identifier
  log_destination_type = "cloudwatch"
  log_exports          = ["userlog", "connectionlog", "useractivitylog"]
}
