# Four private buckets, and who may do what in them.
#   raw: as delivered, personal data. staging: Parquet by day, pseudonyms. quarantine: rejected records as delivered,
#   personal data. artifacts: the Spark package, docs and logs.

locals {
  layers      = toset(["raw", "staging", "quarantine", "artifacts"])
  bucket_arns = { for layer in local.layers : layer => "arn:aws:s3:::${local.bucket_names[layer]}" }
  # The account's number, because bucket names are the whole world's.
  bucket_names = { for layer in local.layers : layer => "${var.name}-${layer}-${var.account_id}" }

  # Objects of a layer that are deleted automatically, by folder, after so many days. A day that is run again puts its rejected
  # records back; who read them (quarantine's folder read/) stays. None of staging: the run that a day's delivery row names may be
  # years old.
  expiry_days = {
    quarantine = { for table in local.all_tables : "${table}/" => 90 }
    artifacts  = { "airflow-logs/" = 90, "spark-logs/" = 90 }
  }
}

resource "aws_kms_key" "lake" {
  description             = "${var.name}: the lake"
  enable_key_rotation     = true
  deletion_window_in_days = var.ephemeral ? 7 : 30

  # In a key's policy, "*" is this key.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "IamDecides"
      Effect    = "Allow"
      Action    = "kms:*"
      Resource  = "*"
      Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
    }]
  })
}

resource "aws_kms_alias" "lake" {
  name          = "alias/${var.name}-lake"
  target_key_id = aws_kms_key.lake.key_id
}

# Encrypts the keys of the raw records in quarantine, inside their files (spark_prep/contract/encryption.py): whoever gets at a file has
# nothing of it without this key. The jobs encrypt and cannot decrypt.
resource "aws_kms_key" "quarantine" {
  description             = "${var.name}: raw records in quarantine"
  enable_key_rotation     = true
  deletion_window_in_days = var.ephemeral ? 7 : 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "IamDecides"
        Effect    = "Allow"
        Action    = "kms:*"
        Resource  = "*"
        Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
      },
      # Whatever other policies of the account say, administrators' included. Without an eraser nobody decrypts.
      merge(
        {
          Sid       = "OnlyTheEraserDecrypts"
          Effect    = "Deny"
          Action    = ["kms:Decrypt", "kms:ReEncryptFrom"]
          Resource  = "*"
          Principal = { AWS = "*" }
        },
        length(var.eraser_role_arns) == 0 ? {} : { Condition = { ArnNotEquals = { "aws:PrincipalArn" = var.eraser_role_arns } } },
      ),
    ]
  })
}

resource "aws_kms_alias" "quarantine" {
  name          = "alias/${var.name}-quarantine"
  target_key_id = aws_kms_key.quarantine.key_id
}

# The key of the list of erased customers, which is never replaced: nobody could tell any more whom to leave out. Terraform makes the
# place, `make deploy` the value.
resource "aws_secretsmanager_secret" "suppression" {
  name                    = "${var.name}/suppression-key"
  description             = "Key of the list of erased customers"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.ephemeral ? 0 : 30
}

resource "aws_secretsmanager_secret_policy" "suppression" {
  secret_arn          = aws_secretsmanager_secret.suppression.arn
  block_public_policy = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyThoseWhoLeaveOutRead"
      Effect    = "Deny"
      Action    = "secretsmanager:GetSecretValue"
      Resource  = "*"
      Principal = { AWS = "*" }
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = concat([var.spark_role_arn, var.airflow_role_arn], var.eraser_role_arns) } }
    }]
  })
}

resource "aws_s3_bucket" "layer" {
  for_each = local.layers

  bucket        = local.bucket_names[each.key]
  force_destroy = var.ephemeral
}

resource "aws_s3_bucket_versioning" "layer" {
  for_each = local.layers

  bucket = aws_s3_bucket.layer[each.key].bucket

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "layer" {
  for_each = local.layers

  bucket = aws_s3_bucket.layer[each.key].bucket

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.lake.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "layer" {
  for_each = local.layers

  bucket                  = aws_s3_bucket.layer[each.key].bucket
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "layer" {
  for_each = local.layers

  bucket = aws_s3_bucket.layer[each.key].bucket

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "layer" {
  for_each = local.layers

  bucket = aws_s3_bucket.layer[each.key].bucket

  rule {
    id     = "expire-old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    # A removed run leaves them, and its names do not come again.
    expiration {
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = lookup(local.expiry_days, each.key, {})

    content {
      id     = "expire-${trimsuffix(rule.key, "/")}"
      status = "Enabled"

      filter {
        prefix = rule.key
      }

      expiration {
        days = rule.value
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.layer]
}

resource "aws_s3_bucket_policy" "layer" {
  for_each = local.layers

  bucket = aws_s3_bucket.layer[each.key].bucket

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Action    = "s3:*"
        Resource  = [local.bucket_arns[each.key], "${local.bucket_arns[each.key]}/*"]
        Principal = { AWS = "*" }
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      # Whatever other policies of the account say, administrators' included.
      each.key == "quarantine" ? [{
        Sid         = "OnlySparkReads"
        Effect      = "Deny"
        Action      = ["s3:GetObject", "s3:GetObjectVersion"]
        NotResource = [local.run_folders_of_rejected_purchases]
        Principal   = { AWS = "*" }
        Condition   = { ArnNotEquals = { "aws:PrincipalArn" = concat([var.spark_role_arn], var.eraser_role_arns) } }
      }] : [],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.layer]
}
