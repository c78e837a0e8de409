# Airflow: its image, the role of its one service account, and the variables and connections that its secrets backend reads.

locals {
  # The address without its scheme, as IAM writes it in conditions.
  issuer = trimprefix(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://")

  secrets = merge(
    { for name, value in var.airflow_variables : "${var.variables_prefix}/${name}" => value },
    { for name, value in var.airflow_connections : "${var.connections_prefix}/${name}" => value },
  )
}

resource "aws_ecr_repository" "airflow" {
  name                 = "${var.name}/airflow"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.ephemeral

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_iam_openid_connect_provider" "this" {
  url            = aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}

# Airflow's service account, and nothing else in the cluster, may take this role.
resource "aws_iam_role" "airflow" {
  name        = "${var.name}-airflow"
  description = "What Airflow's pods run as"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.this.arn }
      Condition = {
        StringEquals = {
          "${local.issuer}:sub" = "system:serviceaccount:${var.namespace}:${var.service_account}"
          "${local.issuer}:aud" = "sts.amazonaws.com"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "airflow" {
  for_each = merge(var.airflow_policies, { secrets = local.read_secrets })

  name   = each.key
  role   = aws_iam_role.airflow.name
  policy = each.value
}

# Whoever erases a customer runs a pod as this service account, with Airflow's image.
resource "aws_iam_role" "eraser" {
  count = var.has_eraser ? 1 : 0

  name        = "${var.name}-eraser"
  description = "What erases a customer from staging and quarantine"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.this.arn }
      Condition = {
        StringEquals = {
          "${local.issuer}:sub" = "system:serviceaccount:${var.namespace}:eraser"
          "${local.issuer}:aud" = "sts.amazonaws.com"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "eraser" {
  count = var.has_eraser ? 1 : 0

  name   = "lake"
  role   = aws_iam_role.eraser[0].name
  policy = var.eraser_policy_json
}

locals {
  # The whole of Airflow's own prefixes: a name that is asked for and does not exist has to be answered with "not found".
  read_secrets = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadVariablesAndConnections"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [for prefix in [var.variables_prefix, var.connections_prefix] : "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret:${prefix}/*"]
      },
      {
        Sid       = "DecryptThem"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
      },
    ]
  })
}

resource "aws_secretsmanager_secret" "airflow" {
  for_each = local.secrets

  name                    = each.key
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.ephemeral ? 0 : 7
}

# In the state for everybody to see: none of these is a password or a key (terraform/tests/test_aws_access.py).
resource "aws_secretsmanager_secret_version" "airflow" {
  for_each = local.secrets

  secret_id     = aws_secretsmanager_secret.airflow[each.key].id
  secret_string = each.value
}
