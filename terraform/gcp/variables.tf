# The same names, types and meanings in aws/ and gcp/ (terraform/tests/test_names.py).

variable "gcp_project_id" {
  description = "Google Cloud project of all resources. (An AWS account comes with the credentials.)"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.gcp_project_id))
    error_message = "gcp_project_id must be the id of a project: 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "project" {
  description = "First part of every resource's name."
  type        = string
  default     = "movie-analytics"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.project)) && length(var.project) <= 20
    error_message = "project must be at most 20 lower-case letters, digits and single hyphens, and start with a letter."
  }
}

variable "environment" {
  description = "Second part of every resource's name: dev, prod … Two environments may share a project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.environment))
    error_message = "environment must be 2 to 10 lower-case letters and digits, and start with a letter."
  }

  # The name of a service account has 30 characters, "-airflow" among them.
  validation {
    condition     = length("${var.project}-${var.environment}") <= 21
    error_message = "project and environment must have at most 20 characters together."
  }
}

variable "region" {
  description = "Cloud region of all resources; it needs three zones."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be the name of a Google Cloud region, for example europe-west1."
  }
}

variable "size" {
  description = "small: the cheapest that does the work, one of everything. large: standbys in a second zone, more and larger machines."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "large"], var.size)
    error_message = "size must be small or large."
  }
}

variable "ephemeral" {
  description = "A trial stack: destroy deletes its data, databases and keys without a final snapshot. Never for production."
  type        = bool
  default     = false
}

variable "eraser" {
  description = "Make an identity that may erase customers from staging and quarantine and read raw records (airflow/RUNBOOK.md). It can be there for the time of an erasure only."
  type        = bool
  default     = false
}

variable "spark_mode" {
  description = "Where Spark runs. serverless: Dataproc batches. cluster: a Dataproc cluster, started by Airflow for the day and torn down."
  type        = string
  default     = "serverless"

  validation {
    condition     = contains(["serverless", "cluster"], var.spark_mode)
    error_message = "spark_mode must be serverless or cluster."
  }
}

variable "warehouse_mode" {
  description = "How the warehouse is paid for. serverless: for what queries use. provisioned: for capacity that is always on."
  type        = string
  default     = "serverless"

  validation {
    condition     = contains(["serverless", "provisioned"], var.warehouse_mode)
    error_message = "warehouse_mode must be serverless or provisioned."
  }
}

variable "network_cidr" {
  description = "Address range of the private network, from /16 to /20."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(regex("^(10|172|192)\\..*/(16|17|18|19|20)$", var.network_cidr)) && can(cidrhost(var.network_cidr, 0))
    error_message = "network_cidr must be a private IPv4 range from /16 to /20, for example 10.20.0.0/16."
  }
}

variable "allowed_cidrs" {
  description = "Addresses from which people and CI may reach the Kubernetes API, public ones or private ones (of a VPN, of a machine in the network). None: nobody but the cluster itself."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : can(cidrhost(cidr, 0)) && tonumber(split("/", cidr)[1]) >= 16])
    error_message = "allowed_cidrs must be IPv4 ranges of /16 or narrower: the Kubernetes API is never open to the world."
  }
}

variable "budget_monthly_usd" {
  description = "What the project may cost in a month, in the currency of its billing account; alert_email hears of 80 % spent and 100 % forecast."
  type        = number

  validation {
    condition     = var.budget_monthly_usd > 0
    error_message = "budget_monthly_usd must be more than 0."
  }
}

variable "alert_email" {
  description = "E-mail address for budget alerts."
  type        = string

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:]]+\\.[^@[:space:]]+$", var.alert_email))
    error_message = "alert_email must be an e-mail address."
  }
}

variable "start_date" {
  description = "First day of the pipeline, YYYY-MM-DD: its run takes the whole history of purchases."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", var.start_date)) && can(formatdate("YYYY", "${var.start_date}T00:00:00Z"))
    error_message = "start_date must be a day as YYYY-MM-DD."
  }
}

variable "pseudonym_key_version" {
  description = "Version of the key of the pseudonyms. Raise it by one, and `make deploy` creates a new key."
  type        = number
  default     = 1

  validation {
    condition     = var.pseudonym_key_version >= 1 && floor(var.pseudonym_key_version) == var.pseudonym_key_version
    error_message = "pseudonym_key_version must be 1, 2, 3 …"
  }
}

variable "labels" {
  description = "Labels of your own for every resource, for example a cost centre."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels must be lower-case letters, digits, hyphens and underscores: what both clouds take."
  }
}

variable "warehouse_analysts" {
  description = "Principals that read the marts and the tables behind them in clear, never the pseudonyms of staging: principals such as group:analysts@example.com."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for principal in var.warehouse_analysts : can(regex("^(user|group|serviceAccount):[^@[:space:]]+@[^@[:space:]]+$", principal))])
    error_message = "warehouse_analysts must be user:, group: or serviceAccount: with an e-mail address."
  }
}

variable "warehouse_readers" {
  description = "Principals that read the marts without knowing the customers (dashboards): principals such as group:bi@example.com."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for principal in var.warehouse_readers : can(regex("^(user|group|serviceAccount):[^@[:space:]]+@[^@[:space:]]+$", principal))])
    error_message = "warehouse_readers must be user:, group: or serviceAccount: with an e-mail address."
  }
}

variable "versions" {
  description = "Versions to run instead of those in versions.tf, each with the day until which it is supported (null: none is announced), for example { postgresql = { version = \"18\", supported_until = \"2030-11-14\" } }."
  type        = map(object({ version = string, supported_until = string }))
  default     = {}

  validation {
    condition = alltrue([
      for name, one in var.versions : can(regex(lookup({
        postgresql       = "^[0-9]+$"
        dataproc_runtime = "^([3-9]|[1-9][0-9]+)\\.[0-9]+$"
        dataproc_image   = "^([3-9]|[1-9][0-9]+)\\.[0-9]+-[a-z]+[0-9]+$"
      }, name, "^$"), one.version))
    ])
    error_message = "versions takes postgresql (the major version alone, such as 17), dataproc_runtime (3.0 or newer, since the jobs need Spark 4) and dataproc_image (3.0-debian13 or newer, likewise, with its system)."
  }

  validation {
    condition = alltrue([
      for one in var.versions : one.supported_until == null || can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", one.supported_until)) && can(formatdate("YYYY", "${one.supported_until}T00:00:00Z"))
    ])
    error_message = "supported_until in versions must be a day as YYYY-MM-DD, from the service's release calendar, or null if it announces none."
  }
}
