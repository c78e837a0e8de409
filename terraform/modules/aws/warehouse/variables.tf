variable "name" {
  description = "Name of the warehouse."
  type        = string
}

variable "account_id" {
  description = "Number of the account."
  type        = string
}

variable "region" {
  description = "Region of the warehouse."
  type        = string
}

variable "mode" {
  description = "serverless or provisioned."
  type        = string
}

variable "size" {
  description = "small or large."
  type        = string
}

variable "vpc_id" {
  description = "Network of the warehouse."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the warehouse, in three zones."
  type        = list(string)
}

variable "client_security_group_id" {
  description = "Security group of the only machines that may connect."
  type        = string
}

variable "lake_policy_json" {
  description = "IAM policy: what the warehouse may do in the lake."
  type        = string
}

variable "staging_uri" {
  description = "Location of the external tables' files."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts the warehouse and its password."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete the warehouse without a final snapshot."
  type        = bool
}
