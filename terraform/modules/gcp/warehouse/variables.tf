variable "name" {
  description = "First part of all names; with underscores, of the datasets'."
  type        = string
}

variable "project_id" {
  description = "Project that owns the datasets and pays for the queries."
  type        = string
}

variable "region" {
  description = "Location of the datasets: that of the buckets."
  type        = string
}

variable "mode" {
  description = "serverless: paid by the bytes that queries read. provisioned: a reservation of slots."
  type        = string
}

variable "size" {
  description = "small or large reservation."
  type        = string
}

variable "loader_member" {
  description = "Service account that runs dbt, as IAM names it."
  type        = string
}

variable "analysts" {
  description = "Principals that read everything but the pseudonyms."
  type        = list(string)
}

variable "readers" {
  description = "Principals that read the marts without customers."
  type        = list(string)
}

variable "role_suffix" {
  description = "End of the ids of roles. The id of a deleted role stays taken for a month, so a stack made again needs others."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete the datasets with their tables."
  type        = bool
}
