variable "name" {
  description = "First part of the instance's name."
  type        = string
}

variable "project_id" {
  description = "Project that owns the instance."
  type        = string
}

variable "region" {
  description = "Region of the instance."
  type        = string
}

variable "network_id" {
  description = "Network in which the instance gets its address."
  type        = string
}

variable "airflow_email" {
  description = "Service account that reads and fills the table of purchases."
  type        = string
}

variable "size" {
  description = "small: one machine. large: a larger one with a standby in a second zone."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete the instance with its backups."
  type        = bool
}

variable "postgresql_version" {
  description = "Major version of the database."
  type        = string
}
