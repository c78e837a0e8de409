output "runtime" {
  description = "SPARK_RUNTIME of Airflow."
  value       = { serverless = "emr_serverless", cluster = "emr", glue = "glue" }[var.mode]
}

output "settings" {
  description = "Airflow's variable spark. What another mode would need is empty."
  value = {
    region                        = var.region
    emr_serverless_application_id = local.is_serverless ? aws_emrserverless_application.this[0].id : ""
    job_role_arn                  = aws_iam_role.job.arn
    emr_release_label             = var.emr_release
    emr_service_role              = local.is_cluster ? aws_iam_role.emr[0].name : ""
    emr_instance_profile          = local.is_cluster ? aws_iam_instance_profile.job[0].name : ""
    emr_subnet_id                 = var.subnet_id
    emr_instance_type             = local.machine
    emr_core_instance_count       = local.workers
    emr_security_configuration    = local.is_cluster ? aws_emr_security_configuration.this[0].name : ""
    emr_log_uri                   = "${var.artifacts_uri}/spark-logs/"
    glue_job_name                 = local.is_glue ? aws_glue_job.this[0].name : ""
    pseudonym_secret_id           = aws_secretsmanager_secret.pseudonym.arn
  }
}

output "job_role_arn" {
  description = "Role that the jobs run as."
  value       = aws_iam_role.job.arn
}

output "pseudonym_secret_id" {
  description = "Secret with the key of the pseudonyms."
  value       = aws_secretsmanager_secret.pseudonym.arn
}

output "submit_policy_json" {
  description = "IAM policy to start, watch and end jobs."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = {
      serverless = [
        {
          Sid      = "StartJobs"
          Effect   = "Allow"
          Action   = ["emr-serverless:GetApplication", "emr-serverless:StartApplication", "emr-serverless:StartJobRun", "emr-serverless:ListJobRuns"]
          Resource = aws_emrserverless_application.this[*].arn
        },
        {
          Sid      = "WatchJobs"
          Effect   = "Allow"
          Action   = ["emr-serverless:GetJobRun", "emr-serverless:CancelJobRun", "emr-serverless:TagResource"]
          Resource = [for application in aws_emrserverless_application.this : "${application.arn}/jobruns/*"]
        },
        local.pass_role,
      ]
      cluster = [
        {
          # The service knows no resource here: a tag limits what may be started.
          Sid       = "StartClusters"
          Effect    = "Allow"
          Action    = ["elasticmapreduce:RunJobFlow", "elasticmapreduce:AddTags"]
          Resource  = ["*"]
          Condition = { StringEquals = { "aws:RequestTag/for-use-with-amazon-emr-managed-policies" = "true" } }
        },
        {
          Sid    = "WatchAndEndClusters"
          Effect = "Allow"
          Action = [
            "elasticmapreduce:AddJobFlowSteps", "elasticmapreduce:CancelSteps", "elasticmapreduce:DescribeCluster",
            "elasticmapreduce:DescribeStep", "elasticmapreduce:ListSteps", "elasticmapreduce:TerminateJobFlows",
          ]
          Resource  = ["arn:aws:elasticmapreduce:${var.region}:${var.account_id}:cluster/*"]
          Condition = { StringEquals = { "aws:ResourceTag/for-use-with-amazon-emr-managed-policies" = "true" } }
        },
        {
          # Asked for while the cluster has no tags yet.
          Sid      = "EndIdleClusters"
          Effect   = "Allow"
          Action   = ["elasticmapreduce:PutAutoTerminationPolicy"]
          Resource = ["arn:aws:elasticmapreduce:${var.region}:${var.account_id}:cluster/*"]
        },
        local.pass_role,
        {
          Sid       = "PassServiceRole"
          Effect    = "Allow"
          Action    = ["iam:PassRole"]
          Resource  = aws_iam_role.emr[*].arn
          Condition = { StringEquals = { "iam:PassedToService" = "elasticmapreduce.amazonaws.com" } }
        },
        {
          # With the first cluster of an account EMR makes a role of its own, in the name of who asked for the cluster.
          Sid       = "LetEmrMakeItsCleanupRole"
          Effect    = "Allow"
          Action    = ["iam:CreateServiceLinkedRole"]
          Resource  = ["arn:aws:iam::${var.account_id}:role/aws-service-role/elasticmapreduce.amazonaws.com*/AWSServiceRoleForEMRCleanup*"]
          Condition = { StringEquals = { "iam:AWSServiceName" = "elasticmapreduce.amazonaws.com" } }
        },
      ]
      glue = [{
        Sid      = "RunJobs"
        Effect   = "Allow"
        Action   = ["glue:GetJob", "glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"]
        Resource = aws_glue_job.this[*].arn
      }]
    }[var.mode]
  })
}
