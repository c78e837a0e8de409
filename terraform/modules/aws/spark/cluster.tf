# spark_mode = cluster: what a cluster is started with.

resource "aws_iam_instance_profile" "job" {
  count = local.is_cluster ? 1 : 0

  name = aws_iam_role.job.name
  role = aws_iam_role.job.name
}

resource "aws_iam_role" "emr" {
  count = local.is_cluster ? 1 : 0

  name        = "${var.name}-emr"
  description = "What EMR starts and ends a cluster's machines as"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "elasticmapreduce.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:aws:elasticmapreduce:${var.region}:${var.account_id}:*" }
      }
    }]
  })
}

# AWS's own; it reaches only what carries the tag for-use-with-amazon-emr-managed-policies.
resource "aws_iam_role_policy_attachment" "emr" {
  count = local.is_cluster ? 1 : 0

  role       = aws_iam_role.emr[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEMRServicePolicy_v2"
}

resource "aws_iam_role_policy" "emr" {
  count = local.is_cluster ? 1 : 0

  name = "machines"
  role = aws_iam_role.emr[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "GiveMachinesTheirRole"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [aws_iam_role.job.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ec2.amazonaws.com" } }
      },
      {
        Sid      = "EncryptDisks"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey"]
        Resource = [var.kms_key_arn]
      },
      {
        Sid       = "LendTheKeyToDisks"
        Effect    = "Allow"
        Action    = ["kms:CreateGrant"]
        Resource  = [var.kms_key_arn]
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
    ]
  })
}

resource "aws_iam_role_policy" "disks" {
  count = local.is_cluster ? 1 : 0

  name = "disks"
  role = aws_iam_role.job.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "UseTheDisksKey"
      Effect = "Allow"
      Action = [
        "kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
        "kms:DescribeKey",
      ]
      Resource = [var.kms_key_arn]
      # EMR wants the machines' role to be a user of the key (docs.aws.amazon.com/emr, emr-encryption-enable): they ask for it themselves.
      # Through no service but EC2: not the secrets that the same key encrypts.
      Condition = { StringEqualsIfExists = { "kms:ViaService" = "ec2.${var.region}.amazonaws.com" } }
    }]
  })
}

resource "aws_emr_security_configuration" "this" {
  # checkov:skip=CKV_AWS_351: needs a certificate to renew, for machines that live for hours in one private subnet
  count = local.is_cluster ? 1 : 0

  name = var.name

  configuration = jsonencode({
    EncryptionConfiguration = {
      EnableAtRestEncryption    = true
      EnableInTransitEncryption = false
      AtRestEncryptionConfiguration = {
        S3EncryptionConfiguration = {
          EncryptionMode = "SSE-KMS"
          AwsKmsKey      = var.lake_key_arn
        }
        LocalDiskEncryptionConfiguration = {
          EncryptionKeyProviderType = "AwsKms"
          AwsKmsKey                 = var.kms_key_arn
          EnableEbsEncryption       = true
        }
      }
    }
    InstanceMetadataServiceConfiguration = {
      MinimumInstanceMetadataServiceVersion = 2
      HttpPutResponseHopLimit               = 1
    }
  })
}
