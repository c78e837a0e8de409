# The shop's PostgreSQL. RDS keeps and rotates the administrator's password; Airflow logs in as itself (IAM), without one.

locals {
  # Small: one machine. Large: a standby in a second zone.
  machine  = { small = "db.t4g.micro", large = "db.m7g.large" }[var.size]
  database = "shop"
  user     = "airflow"
}

resource "aws_db_subnet_group" "this" {
  name       = "${var.name}-shop"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-shop"
  description = "The shop's PostgreSQL"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-shop" }
}

resource "aws_vpc_security_group_ingress_rule" "airflow" {
  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from Airflow"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_parameter_group" "this" {
  # A database moves from one group to the next, so both have to be there: those after 17 have the version in their name.
  name   = "${var.name}-shop${var.postgresql_version == "17" ? "" : "-${var.postgresql_version}"}"
  family = "postgres${var.postgresql_version}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_connections"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  identifier                          = "${var.name}-shop"
  engine                              = "postgres"
  engine_version                      = var.postgresql_version
  instance_class                      = local.machine
  multi_az                            = var.size == "large"
  allocated_storage                   = 20
  max_allocated_storage               = 200
  storage_type                        = "gp3"
  storage_encrypted                   = true
  kms_key_id                          = var.kms_key_arn
  db_name                             = local.database
  username                            = "shop_admin"
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.kms_key_arn
  iam_database_authentication_enabled = true
  db_subnet_group_name                = aws_db_subnet_group.this.name
  parameter_group_name                = aws_db_parameter_group.this.name
  vpc_security_group_ids              = [aws_security_group.this.id]
  publicly_accessible                 = false
  backup_retention_period             = var.ephemeral ? 0 : 14
  copy_tags_to_snapshot               = true
  deletion_protection                 = !var.ephemeral
  skip_final_snapshot                 = var.ephemeral
  final_snapshot_identifier           = "${var.name}-shop-final"
  auto_minor_version_upgrade          = true
  performance_insights_enabled        = true
  performance_insights_kms_key_id     = var.kms_key_arn
  enabled_cloudwatch_logs_exports     = ["postgresql", "upgrade"]
}
