output "settings" {
  description = "What profiles_template.yml and the external tables read from the environment."
  value = {
    AWS_REGION             = var.region
    REDSHIFT_METHOD        = "iam_role"
    REDSHIFT_HOST          = local.is_serverless ? aws_redshiftserverless_workgroup.this[0].endpoint[0].address : aws_redshift_cluster.this[0].dns_name
    REDSHIFT_PORT          = tostring(local.port)
    REDSHIFT_DATABASE      = local.database
    REDSHIFT_WORK_GROUP    = local.is_serverless ? aws_redshiftserverless_workgroup.this[0].workgroup_name : ""
    REDSHIFT_CLUSTER_ID    = local.is_serverless ? "" : aws_redshift_cluster.this[0].cluster_identifier
    REDSHIFT_SPECTRUM_ROLE = aws_iam_role.spectrum.arn
    GLUE_DATABASE          = aws_glue_catalog_database.staging.name
  }
}

output "admin_secret_id" {
  description = "Secret with the administrator's password, which Redshift stores and rotates."
  value       = local.is_serverless ? aws_redshiftserverless_namespace.this[0].admin_password_secret_arn : aws_redshift_cluster.this[0].master_password_secret_arn
}

output "connect_policy_json" {
  description = "IAM policy to log in as a role's own database user."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = local.is_serverless ? [{
      Sid      = "LogInToWarehouse"
      Effect   = "Allow"
      Action   = ["redshift-serverless:GetCredentials", "redshift-serverless:GetWorkgroup"]
      Resource = [aws_redshiftserverless_workgroup.this[0].arn]
      }] : [{
      Sid      = "LogInToWarehouse"
      Effect   = "Allow"
      Action   = ["redshift:GetClusterCredentialsWithIAM"]
      Resource = ["arn:aws:redshift:${var.region}:${var.account_id}:dbname:${aws_redshift_cluster.this[0].cluster_identifier}/${local.database}"]
    }]
  })
}
