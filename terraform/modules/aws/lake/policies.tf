# What the roles of the pipeline may do in the lake. The folders are those that the jobs read and write.

locals {
  tables = { spark = ["classified_movie_review", "other_classification", "review_logs"], airflow = ["user_purchase"] }

  all_tables = flatten(values(local.tables))

  # What a writer puts and takes away again: the files of its runs, and the markers of folders, which Arrow sets and deletes
  # with them (empty objects whose names end in a slash).
  run_files = { for writer, tables in local.tables : writer => concat(
    flatten([for table in tables : [for bucket in [local.bucket_arns["staging"], local.bucket_arns["quarantine"]] : [
      "${bucket}/${table}/insert_date=*/run=*/part-*.parquet",
      "${bucket}/${table}/insert_date=*/",
    ]]]),
    [for table in tables : "${local.bucket_arns["staging"]}/rejection/insert_date=*/run=*/${table}.parquet"],
    ["${local.bucket_arns["staging"]}/rejection/insert_date=*/"],
  ) }
  # What makes a run the day's: put, and never taken away.
  delivery_rows = { for writer, tables in local.tables : writer => [
    for table in tables : "${local.bucket_arns["staging"]}/delivery/insert_date=*/${table}.parquet"
  ] }
  # Before it deletes a run's folder Arrow asks whether there is an object of that name, which takes the right to read it. No
  # file has such a name: a run's id has 24 characters, and a ? stands for one.
  run_folders_of_rejected_purchases = "${local.bucket_arns["quarantine"]}/user_purchase/insert_date=??????????/run=????????????????????????"

  statements = {
    spark = [
      {
        Sid    = "FindFiles"
        Effect = "Allow"
        # The third: S3A, EMR's way to S3, looks for uploads that were begun.
        Action   = ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
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
        Sid    = "ReadItsTables"
        Effect = "Allow"
        Action = ["s3:GetObject"]
        Resource = concat(
          [for folder in concat(local.tables.spark, ["rejection", "delivery"]) : "${local.bucket_arns["staging"]}/${folder}/insert_date=*"],
          [for folder in local.tables.spark : "${local.bucket_arns["quarantine"]}/${folder}/insert_date=*"],
          # Who was erased.
          ["${local.bucket_arns["staging"]}/suppression/*"],
        )
      },
      {
        Sid      = "WriteRuns"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        Resource = concat(local.run_files.spark, local.delivery_rows.spark)
      },
      {
        Sid      = "RemoveOldRuns"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject"]
        Resource = local.run_files.spark
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${local.bucket_arns["artifacts"]}/spark-logs/*"]
      },
      local.use_key,
      local.encrypt_raw_records,
      local.read_suppression_key,
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
        # The export runs on Airflow's worker. It never reads rejected records back.
        Sid      = "WriteRuns"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = concat(local.run_files.airflow, local.delivery_rows.airflow)
      },
      {
        Sid      = "RemoveOldRuns"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject"]
        Resource = local.run_files.airflow
      },
      {
        Sid       = "FindRunsOfRejectedPurchases"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = [local.bucket_arns["quarantine"]]
        Condition = { StringLike = { "s3:prefix" = "user_purchase/insert_date=*" } }
      },
      {
        Sid      = "AskForFoldersOfRejectedPurchases"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [local.run_folders_of_rejected_purchases]
      },
      {
        Sid      = "KeepDocsAndLogs"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = [for folder in ["docs", "airflow-logs"] : "${local.bucket_arns["artifacts"]}/${folder}/*"]
      },
      local.use_key,
      local.encrypt_raw_records,
      local.read_suppression_key,
    ]

    spectrum = [
      {
        Sid      = "FindFiles"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = [local.bucket_arns["staging"]]
      },
      {
        # Not the list of the erased.
        Sid      = "ReadTables"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for folder in concat(local.all_tables, ["rejection", "delivery"]) : "${local.bucket_arns["staging"]}/${folder}/*"]
      },
      merge(local.use_key, { Action = ["kms:Decrypt"] }),
    ]

    # Whoever erases a customer: new runs of all tables without them, the list of the erased, and who read raw records.
    eraser = [
      {
        Sid      = "FindFiles"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = [local.bucket_arns["staging"], local.bucket_arns["quarantine"]]
      },
      {
        Sid    = "ReadTables"
        Effect = "Allow"
        Action = ["s3:GetObject"]
        Resource = concat(
          [for folder in concat(local.all_tables, ["rejection", "delivery"]) : "${local.bucket_arns["staging"]}/${folder}/insert_date=*"],
          [for folder in local.all_tables : "${local.bucket_arns["quarantine"]}/${folder}/insert_date=*"],
          ["${local.bucket_arns["staging"]}/suppression/*"],
        )
      },
      {
        Sid    = "WriteRunsAndWhoWasErased"
        Effect = "Allow"
        Action = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = concat(
          flatten(values(local.run_files)),
          flatten(values(local.delivery_rows)),
          ["${local.bucket_arns["staging"]}/suppression/*.parquet", "${local.bucket_arns["quarantine"]}/read/*.json"],
        )
      },
      {
        Sid      = "RemoveRuns"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject"]
        Resource = distinct(flatten(values(local.run_files)))
      },
      local.use_key,
      {
        Sid      = "EncryptAndDecryptRawRecords"
        Effect   = "Allow"
        Action   = ["kms:Encrypt", "kms:Decrypt"]
        Resource = [aws_kms_key.quarantine.arn]
      },
      local.read_suppression_key,
      {
        Sid       = "DecryptIt"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
      },
    ]
  }

  read_suppression_key = {
    Sid      = "ReadTheKeyOfTheErased"
    Effect   = "Allow"
    Action   = ["secretsmanager:GetSecretValue"]
    Resource = [aws_secretsmanager_secret.suppression.arn]
  }

  encrypt_raw_records = {
    Sid      = "EncryptRawRecords"
    Effect   = "Allow"
    Action   = ["kms:Encrypt"]
    Resource = [aws_kms_key.quarantine.arn]
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
