# spark_mode = glue. Airflow gives each run its arguments and the version of the script.

resource "aws_glue_job" "this" {
  count = local.is_glue ? 1 : 0

  name                   = "${var.name}-spark"
  role_arn               = aws_iam_role.job.arn
  glue_version           = var.glue_version
  worker_type            = "G.1X"
  number_of_workers      = local.workers
  timeout                = 120
  max_retries            = 0
  security_configuration = aws_glue_security_configuration.this[0].name

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = "${var.artifacts_uri}/spark/submit.py"
  }

  execution_property {
    max_concurrent_runs = 4
  }
}

resource "aws_glue_security_configuration" "this" {
  count = local.is_glue ? 1 : 0

  name = var.name

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = var.kms_key_arn
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = var.kms_key_arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.lake_key_arn
    }
  }
}

resource "aws_iam_role_policy" "glue_logs" {
  count = local.is_glue ? 1 : 0

  name = "logs"
  role = aws_iam_role.job.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"]
      Resource = ["arn:aws:logs:${var.region}:${var.account_id}:log-group:/aws-glue/jobs/*"]
    }]
  })
}
