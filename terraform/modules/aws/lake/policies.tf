# What the roles of the pipeline may do in the lake. The folders are those that the jobs read and write.

locals {
  spark_tables = ["classified_movie_review", "review_logs"]
  # A job writes here before it puts files in place.
  incoming = ".incoming"
  # Every writer adds its own file to these: what was delivered, what was rejected and why.
  shared_tables = ["delivery", "rejection"]

  statements = {
    spark = [
      {
        Sid      = "FindFiles"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = [for layer in ["raw", "staging", "quarantine", "artifacts"] : local.bucket_arns[layer]]
      },
      {
        Sid    = "ReadFeedsAndPackage"
        Effect = "Allow"
        Action = ["s3:GetObject"]
        Resource = concat(
          [for feed in ["movie_review", "log_reviews"] : "${local.bucket_arns["raw"]}/${feed}/*"],
          ["${local.bucket_arns["artifacts"]}/spark/*"],
        )
      },
      {
        # The trailing * without a slash: EMR marks folders by objects beside them.
        Sid    = "ReplaceDays"
        Effect = "Allow"
        Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        Resource = concat(
          [for folder in concat(local.spark_tables, local.shared_tables, [local.incoming]) : "${local.bucket_arns["staging"]}/${folder}*"],
          [for folder in concat(local.spark_tables, [local.incoming]) : "${local.bucket_arns["quarantine"]}/${folder}*"],
        )
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${local.bucket_arns["artifacts"]}/spark-logs/*"]
      },
      local.use_key,
    ]

    airflow = [
      {
        Sid      = "FindFiles"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = [for layer in ["raw", "staging", "artifacts"] : local.bucket_arns[layer]]
      },
      {
        # Not the vendor's feeds, which hold personal data: Airflow only waits for them.
        Sid      = "ReadPurchasesAndStaging"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${local.bucket_arns["raw"]}/user_purchase/*", "${local.bucket_arns["staging"]}/*"]
      },
      {
        # The export runs on Airflow's worker. It replaces its own files and never reads rejected records back.
        Sid    = "ExportPurchases"
        Effect = "Allow"
        Action = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = concat(
          [for folder in concat(["user_purchase"], local.shared_tables) : "${local.bucket_arns["staging"]}/${folder}/insert_date=*/user_purchase.parquet"],
          ["${local.bucket_arns["quarantine"]}/user_purchase/insert_date=*/user_purchase.parquet"],
        )
      },
      {
        Sid      = "KeepDocsAndLogs"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = [for folder in ["docs", "airflow-logs"] : "${local.bucket_arns["artifacts"]}/${folder}/*"]
      },
      local.use_key,
    ]

    spectrum = [
      {
        Sid      = "ReadStaging"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject"]
        Resource = [local.bucket_arns["staging"], "${local.bucket_arns["staging"]}/*"]
      },
      merge(local.use_key, { Action = ["kms:Decrypt"] }),
    ]
  }

  # Uploads in parts need both.
  use_key = {
    Sid       = "UseTheLakesKey"
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = [aws_kms_key.lake.arn]
    Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" } }
  }
}
