# Made-up answers of AWS. The provider checks the shape of an ARN also when it is mocked; the resources whose ARNs decide
# who may do what get the names they would have.

mock_data "aws_availability_zones" {
  defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c", "eu-west-1d"] }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
}

mock_resource "aws_iam_instance_profile" {
  defaults = { arn = "arn:aws:iam::123456789012:instance-profile/mock" }
}

mock_resource "aws_iam_openid_connect_provider" {
  defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/mock" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:mock" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mock" }
}

mock_resource "aws_launch_template" {
  defaults = { id = "lt-00000000000000000", latest_version = 1 }
}

mock_resource "aws_eks_cluster" {
  defaults = {
    identity = [{ oidc = [{ issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/MOCK" }] }]
  }
}

override_resource {
  target = module.spark.aws_iam_role.job
  values = { arn = "arn:aws:iam::123456789012:role/movie-analytics-test-spark-job" }
}

override_resource {
  target = module.spark.aws_iam_role.emr
  values = { arn = "arn:aws:iam::123456789012:role/movie-analytics-test-emr" }
}

override_resource {
  target = module.orchestrator.aws_iam_role.airflow
  values = { arn = "arn:aws:iam::123456789012:role/movie-analytics-test-airflow" }
}

override_resource {
  target = module.warehouse.aws_iam_role.spectrum
  values = { arn = "arn:aws:iam::123456789012:role/movie-analytics-test-spectrum" }
}

override_resource {
  target = module.spark.aws_secretsmanager_secret.pseudonym
  values = { arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:movie-analytics-test/pseudonym-key-AbCdEf" }
}

override_resource {
  target = module.lake.aws_kms_key.lake
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111" }
}

override_resource {
  target = module.spark.aws_emrserverless_application.this
  values = { arn = "arn:aws:emr-serverless:eu-west-1:123456789012:/applications/00mock" }
}

override_resource {
  target = module.spark.aws_glue_job.this
  values = { arn = "arn:aws:glue:eu-west-1:123456789012:job/movie-analytics-test-spark" }
}

override_resource {
  target = module.warehouse.aws_redshiftserverless_workgroup.this
  values = {
    arn      = "arn:aws:redshift-serverless:eu-west-1:123456789012:workgroup/mock"
    endpoint = [{ address = "movie-analytics-test.123456789012.eu-west-1.redshift-serverless.amazonaws.com", port = 5439, vpc_endpoint = [] }]
  }
}

override_resource {
  target = module.lake.aws_kms_key.quarantine
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000001" }
}

override_resource {
  target = module.lake.aws_secretsmanager_secret.suppression
  values = { arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:movie-analytics-test/suppression-key" }
}

override_resource {
  target = module.orchestrator.aws_iam_role.eraser
  values = { arn = "arn:aws:iam::123456789012:role/movie-analytics-test-eraser" }
}
