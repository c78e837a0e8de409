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
  description = "Role of the Spark jobs: the only one that may read the quarantine."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete the buckets with all their content."
  type        = bool
}
