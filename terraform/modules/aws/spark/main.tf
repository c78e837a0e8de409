# Where Spark runs, in one of three ways, and the role that its jobs run as in all of them.
#   serverless  an EMR Serverless application; it costs nothing while no job runs
#   cluster     what an EMR cluster on EC2 needs; Airflow starts one for the day and tears it down
#   glue        an AWS Glue job
# Jobs are not attached to the network where the service allows it: they reach S3, KMS and Secrets Manager, nothing else.

locals {
  is_serverless = var.mode == "serverless"
  is_cluster    = var.mode == "cluster"
  is_glue       = var.mode == "glue"

  service = { serverless = "emr-serverless", cluster = "ec2", glue = "glue" }[var.mode]
  workers = { small = 2, large = 8 }[var.size]
  machine = "m7g.xlarge"

  # To hand the jobs' role to the service that runs them, and to no other.
  pass_role = {
    Sid       = "PassJobRole"
    Effect    = "Allow"
    Action    = ["iam:PassRole"]
    Resource  = [aws_iam_role.job.arn]
    Condition = { StringEquals = { "iam:PassedToService" = "${local.service}.amazonaws.com" } }
  }
}

# The key of the pseudonyms. Terraform makes the place, `make deploy` the value: a provider that had written the value
# would read it again for every plan.
resource "aws_secretsmanager_secret" "pseudonym" {
  name                    = "${var.name}/pseudonym-key"
  description             = "Key of the pseudonyms of ip and phone_number"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.ephemeral ? 0 : 30
}

# Whatever other policies of the account say, administrators' included.
resource "aws_secretsmanager_secret_policy" "pseudonym" {
  secret_arn          = aws_secretsmanager_secret.pseudonym.arn
  block_public_policy = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlySparkReads"
      Effect    = "Deny"
      Action    = "secretsmanager:GetSecretValue"
      Resource  = "*"
      Principal = { AWS = "*" }
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = aws_iam_role.job.arn } }
    }]
  })
}

resource "aws_iam_role" "job" {
  name        = "${var.name}-spark-job"
  description = "What the Spark jobs run as"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "${local.service}.amazonaws.com" }
      },
      # Machines do not say for which account they ask.
      local.is_cluster ? {} : { Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } } },
    )]
  })
}

resource "aws_iam_role_policy" "lake" {
  name   = "lake"
  role   = aws_iam_role.job.name
  policy = var.lake_policy_json
}

resource "aws_iam_role_policy" "pseudonym" {
  name = "pseudonym-key"
  role = aws_iam_role.job.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [aws_secretsmanager_secret.pseudonym.arn]
      },
      {
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
      },
    ]
  })
}

resource "aws_emrserverless_application" "this" {
  count = local.is_serverless ? 1 : 0

  name          = var.name
  release_label = var.emr_release
  type          = "SPARK"
  architecture  = "ARM64"

  # A job that asks for more waits; a mistake costs no more than this.
  maximum_capacity {
    cpu    = "${local.workers * 8} vCPU"
    memory = "${local.workers * 32} GB"
  }

  auto_start_configuration {
    enabled = true
  }

  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = 5
  }
}
