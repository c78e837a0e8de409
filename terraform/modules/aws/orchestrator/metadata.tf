# Airflow's own PostgreSQL. RDS keeps the administrator's password; `make deploy` makes Airflow's user.

resource "aws_db_subnet_group" "metadata" {
  name       = "${var.name}-metadata"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "metadata" {
  name        = "${var.name}-metadata"
  description = "Airflow's PostgreSQL"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-metadata" }
}

resource "aws_vpc_security_group_ingress_rule" "metadata" {
  security_group_id            = aws_security_group.metadata.id
  description                  = "PostgreSQL from Airflow"
  referenced_security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_parameter_group" "metadata" {
  # A database moves from one group to the next, so both have to be there: those after 17 have the version in their name.
  name   = "${var.name}-metadata${var.postgresql_version == "17" ? "" : "-${var.postgresql_version}"}"
  family = "postgres${var.postgresql_version}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "metadata" {
  # checkov:skip=CKV_AWS_161: Airflow keeps its connections open for longer than an IAM login is valid, so it has a password
  identifier                      = "${var.name}-metadata"
  engine                          = "postgres"
  engine_version                  = var.postgresql_version
  instance_class                  = { small = "db.t4g.micro", large = "db.t4g.medium" }[var.size]
  multi_az                        = var.size == "large"
  allocated_storage               = 20
  max_allocated_storage           = 100
  storage_type                    = "gp3"
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  username                        = "airflow_admin"
  manage_master_user_password     = true
  master_user_secret_kms_key_id   = var.kms_key_arn
  db_subnet_group_name            = aws_db_subnet_group.metadata.name
  parameter_group_name            = aws_db_parameter_group.metadata.name
  vpc_security_group_ids          = [aws_security_group.metadata.id]
  publicly_accessible             = false
  backup_retention_period         = var.ephemeral ? 0 : 14
  copy_tags_to_snapshot           = true
  deletion_protection             = !var.ephemeral
  skip_final_snapshot             = var.ephemeral
  final_snapshot_identifier       = "${var.name}-metadata-final"
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
}
