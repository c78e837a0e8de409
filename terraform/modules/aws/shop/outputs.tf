output "host" {
  description = "Host of the database."
  value       = aws_db_instance.this.address
}

output "database" {
  description = "Name of the database."
  value       = local.database
}

output "user" {
  description = "Database user of Airflow; has to be created once, with the role rds_iam."
  value       = local.user
}

output "admin_secret_id" {
  description = "Secret with the administrator's name and password, which RDS stores and rotates."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}

output "connection" {
  description = "Airflow's connection shop_db. No password: the worker signs in with its role."
  value = jsonencode({
    conn_type = "postgres"
    host      = aws_db_instance.this.address
    port      = 5432
    schema    = local.database
    login     = local.user
    extra     = { iam = true, aws_conn_id = null, region_name = var.region, sslmode = "require" }
  })
}

output "connect_policy_json" {
  description = "IAM policy to log in as that user."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "LogInToShop"
      Effect   = "Allow"
      Action   = ["rds-db:connect"]
      Resource = ["arn:aws:rds-db:${var.region}:${var.account_id}:dbuser:${aws_db_instance.this.resource_id}/${local.user}"]
    }]
  })
}
