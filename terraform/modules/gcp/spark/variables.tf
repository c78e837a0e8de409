variable "name" {
  description = "First part of all names."
  type        = string
}

variable "project_id" {
  description = "Project in which Spark runs."
  type        = string
}

variable "region" {
  description = "Region in which Spark runs."
  type        = string
}

variable "mode" {
  description = "serverless: Dataproc batches. cluster: a Dataproc cluster for the day."
  type        = string
}

variable "size" {
  description = "small or large machines of a cluster."
  type        = string
}

variable "subnet_id" {
  description = "Subnet of Spark."
  type        = string
}

variable "pseudonym_key_version" {
  description = "Version of the key of the pseudonyms."
  type        = number
}

variable "role_suffix" {
  description = "End of the ids of roles. The id of a deleted role stays taken for a month, so a stack made again needs others."
  type        = string
}

variable "ephemeral" {
  description = "Let destroy delete the key of the pseudonyms."
  type        = bool
}

variable "dataproc_runtime" {
  description = "Runtime of Dataproc batches."
  type        = string
}

variable "dataproc_image" {
  description = "Image of a Dataproc cluster."
  type        = string
}
