variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "account_id" {
  description = "Number of the account."
  type        = string
}

variable "region" {
  description = "Region of the cluster."
  type        = string
}

variable "size" {
  description = "small or large."
  type        = string
}

variable "vpc_id" {
  description = "Network of the cluster."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the cluster and of Airflow's database."
  type        = list(string)
}

variable "allowed_cidrs" {
  description = "Addresses that may reach the Kubernetes API, public or private."
  type        = list(string)
}

variable "administrators" {
  description = "ARNs of the IAM roles and users that administer the cluster."
  type        = list(string)
}

variable "namespace" {
  description = "Kubernetes namespace of Airflow."
  type        = string
}

variable "service_account" {
  description = "Kubernetes service account of Airflow."
  type        = string
}

variable "variables_prefix" {
  description = "Prefix of the secrets that are Airflow's variables."
  type        = string
}

variable "connections_prefix" {
  description = "Prefix of the secrets that are Airflow's connections."
  type        = string
}

variable "airflow_variables" {
  description = "Airflow's variables by name. Nothing secret: they are in the state."
  type        = map(string)
}

variable "airflow_connections" {
  description = "Airflow's connections by name, as JSON. Without passwords: they are in the state."
  type        = map(string)
}

variable "airflow_policies" {
  description = "What Airflow may do, as IAM policies by a name for each."
  type        = map(string)
}

variable "has_eraser" {
  description = "Make the role that erases customers."
  type        = bool
}

variable "eraser_policy_json" {
  description = "IAM policy: what that role may do in the lake."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts secrets, logs, images and Airflow's database."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete images, secrets and Airflow's database without a final snapshot."
  type        = bool
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes."
  type        = string
}

variable "postgresql_version" {
  description = "Major version of Airflow's database."
  type        = string
}
