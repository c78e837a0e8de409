variable "name" {
  description = "First part of the database's name."
  type        = string
}

variable "account_id" {
  description = "Number of the account."
  type        = string
}

variable "region" {
  description = "Region of the database."
  type        = string
}

variable "size" {
  description = "small or large."
  type        = string
}

variable "vpc_id" {
  description = "Network of the database."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the database."
  type        = list(string)
}

variable "client_security_group_id" {
  description = "Security group of the only machines that may connect."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts the database and its password."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete the database without a final snapshot."
  type        = bool
}

variable "postgresql_version" {
  description = "Major version of the database."
  type        = string
}
