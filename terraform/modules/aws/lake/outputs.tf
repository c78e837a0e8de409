output "uris" {
  description = "Address of each layer: raw, staging, quarantine, artifacts."
  value       = { for layer, bucket in aws_s3_bucket.layer : layer => "s3://${bucket.bucket}" }
}

output "kms_key_arn" {
  description = "Key that encrypts the lake."
  value       = aws_kms_key.lake.arn
}

output "quarantine_key_arn" {
  description = "Key of the raw records in quarantine."
  value       = aws_kms_key.quarantine.arn
}

output "suppression_secret_id" {
  description = "Secret with the key of the list of erased customers."
  value       = aws_secretsmanager_secret.suppression.arn
}

output "policies" {
  description = "What the roles may do in the lake, as IAM policies: spark, airflow, spectrum, eraser."
  value       = { for role, statements in local.statements : role => jsonencode({ Version = "2012-10-17", Statement = statements }) }
}
