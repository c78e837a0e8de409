variable "name" {
  description = "First part of the buckets' names."
  type        = string
}

variable "project_id" {
  description = "Project that owns the buckets."
  type        = string
}

variable "region" {
  description = "Region of the buckets."
  type        = string
}

variable "spark_member" {
  description = "Service account of the Spark jobs, as IAM names it: the only one that reads the quarantine, beside the eraser."
  type        = string
}

variable "airflow_member" {
  description = "Service account of Airflow, the export and dbt, as IAM names it."
  type        = string
}

variable "eraser_members" {
  description = "Service account that erases customers, as IAM names it, in a list; none when there is no eraser."
  type        = list(string)
}

variable "key_suffix" {
  description = "End of the name of the key ring of quarantine. A key ring cannot be deleted, so a stack made again needs another."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete the buckets with all their content; no key of their own."
  type        = bool
}
