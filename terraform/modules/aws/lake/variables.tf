variable "name" {
  description = "First part of the buckets' names."
  type        = string
}

variable "account_id" {
  description = "Number of the account."
  type        = string
}

variable "region" {
  description = "Region of the buckets."
  type        = string
}

variable "spark_role_arn" {
  description = "Role of the Spark jobs: the only one that may read the quarantine, beside the eraser's."
  type        = string
}

variable "airflow_role_arn" {
  description = "Role of Airflow, the export and dbt."
  type        = string
}

variable "eraser_role_arns" {
  description = "The role that erases customers, in a list; none when there is no eraser."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "Key that encrypts secrets."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete the buckets with all their content."
  type        = bool
}
