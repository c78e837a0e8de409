variable "name" {
  description = "Name of the cluster, and first part of all other names."
  type        = string
}

variable "project_id" {
  description = "Project that owns the cluster."
  type        = string
}

variable "region" {
  description = "Region of the cluster."
  type        = string
}

variable "network_id" {
  description = "Network of the cluster and of Airflow's database."
  type        = string
}

variable "subnet_id" {
  description = "Subnet with ranges named pods and services."
  type        = string
}

variable "allowed_cidrs" {
  description = "Addresses from which the Kubernetes API can be reached, public or private."
  type        = list(string)
}

variable "size" {
  description = "small: one machine for Airflow's database. large: a larger one with a standby in a second zone."
  type        = string
}

variable "airflow_member" {
  description = "Airflow's service account, as IAM names it."
  type        = string
}

variable "airflow_service_account_id" {
  description = "The same, as a resource on which permissions can be granted."
  type        = string
}

variable "eraser_service_account_ids" {
  description = "Service account that erases customers, as a resource, in a list; none when there is no eraser."
  type        = list(string)
}

variable "kubernetes_namespace" {
  description = "Namespace of Airflow in Kubernetes."
  type        = string
}

variable "kubernetes_service_account" {
  description = "Service account of Airflow in Kubernetes."
  type        = string
}

variable "spark_service_account_id" {
  description = "Service account of the Spark jobs, as a resource on which permissions can be granted."
  type        = string
}

variable "spark_runtime" {
  description = "dataproc_serverless or dataproc: which permissions Airflow needs."
  type        = string
}

variable "variables" {
  description = "Airflow's variables by name. Nothing secret: their values are in the state."
  type        = map(string)
}

variable "connections" {
  description = "Airflow's connections by name, as JSON. Without passwords: they are in the state."
  type        = map(string)

  validation {
    condition     = alltrue([for connection in var.connections : !can(jsondecode(connection).password)])
    error_message = "A connection with a password would put it into the state; use an identity."
  }
}

variable "variables_prefix" {
  description = "variables_prefix of Airflow's secrets backend."
  type        = string
}

variable "connections_prefix" {
  description = "connections_prefix of Airflow's secrets backend."
  type        = string
}

variable "role_suffix" {
  description = "End of the ids of roles. The id of a deleted role stays taken for a month, so a stack made again needs others."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete the cluster and Airflow's database."
  type        = bool
}

variable "postgresql_version" {
  description = "Major version of Airflow's database."
  type        = string
}
