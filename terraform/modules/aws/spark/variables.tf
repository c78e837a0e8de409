variable "name" {
  description = "First part of the names of the application, the job and the roles."
  type        = string
}

variable "account_id" {
  description = "Number of the account."
  type        = string
}

variable "region" {
  description = "Region that Spark runs in."
  type        = string
}

variable "mode" {
  description = "serverless, cluster or glue."
  type        = string
}

variable "size" {
  description = "small or large."
  type        = string
}

variable "subnet_id" {
  description = "Private subnet of a cluster."
  type        = string
}

variable "lake_policy_json" {
  description = "IAM policy: what the jobs may do in the lake."
  type        = string
}

variable "lake_key_arn" {
  description = "Key that encrypts the lake."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts secrets, disks and logs."
  type        = string
}

variable "artifacts_uri" {
  description = "Location of the Spark package and of the logs."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete the key of the pseudonyms at once."
  type        = bool
}

variable "emr_release" {
  description = "Release of EMR, serverless or on a cluster."
  type        = string
}

variable "glue_version" {
  description = "Version of Glue."
  type        = string
}
