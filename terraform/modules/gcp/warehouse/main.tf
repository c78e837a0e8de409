# BigQuery: a dataset for each schema of dbt, and who may see what. dbt owns the tables, the external ones too.
#
#                                     loader (dbt)   analysts        readers
#   external, staging: pseudonyms     writes         -               -
#   reference, intermediate,
#   audit, history                    writes         read            -
#   marts                             writes         read            -
#   reading: views of marts without
#   customers (view_for_readers)      writes         -               read
#
# Readers have nothing in marts: a table that dbt makes has customer_id without its policy tag for a moment, and its
# temporary tables for longer.

locals {
  schema = replace(var.name, "-", "_")

  # The schemas of dbt_project.yml and sources.yml, and who reads them beside dbt.
  datasets = {
    external     = []
    staging      = []
    reference    = var.analysts
    intermediate = var.analysts
    audit        = var.analysts
    history      = var.analysts
    marts        = var.analysts
  }
  writers = [
    { role = "OWNER", group = "projectOwners", member = null },
    { role = "WRITER", group = null, member = var.loader_member },
  ]

  # BigQuery answers with the old names of roles, and other names would be a change in every plan.
  access = { for dataset, viewers in local.datasets : dataset => concat(
    local.writers,
    [for viewer in viewers : { role = "READER", group = null, member = viewer }],
    dataset == "marts" ? [{ role = google_project_iam_custom_role.masker.id, group = null, member = var.loader_member }] : [],
  ) }
}

resource "google_bigquery_dataset" "this" {
  # checkov:skip=CKV_GCP_81:pseudonyms only, and Google's own encryption is on; personal data is in the lake, under its own key.
  for_each = local.datasets

  dataset_id                 = "${local.schema}_${each.key}"
  location                   = var.region
  delete_contents_on_destroy = var.ephemeral

  # All of it: by default every viewer of the project could read every dataset. In the dataset itself, because a policy of
  # its own cannot be destroyed: BigQuery does not let the last owner go.
  dynamic "access" {
    for_each = local.access[each.key]

    content {
      role           = access.value.role
      special_group  = access.value.group
      user_by_email  = try(regex("^(?:user|serviceAccount):(.+)$", access.value.member)[0], null)
      group_by_email = try(regex("^group:(.+)$", access.value.member)[0], null)
    }
  }

  # Its views read marts, whoever asks them.
  dynamic "access" {
    for_each = each.key == "marts" ? [google_bigquery_dataset.reading.dataset_id] : []

    content {
      dataset {
        target_types = ["VIEWS"]

        dataset {
          project_id = var.project_id
          dataset_id = access.value
        }
      }
    }
  }
}

resource "google_bigquery_dataset" "reading" {
  # checkov:skip=CKV_GCP_81:views only, which hold no data.
  dataset_id                 = "${local.schema}_reading"
  location                   = var.region
  delete_contents_on_destroy = var.ephemeral

  dynamic "access" {
    for_each = concat(local.writers, [for reader in var.readers : { role = "READER", group = null, member = reader }])

    content {
      role           = access.value.role
      special_group  = access.value.group
      user_by_email  = try(regex("^(?:user|serviceAccount):(.+)$", access.value.member)[0], null)
      group_by_email = try(regex("^group:(.+)$", access.value.member)[0], null)
    }
  }
}

resource "google_project_iam_custom_role" "loader" {
  role_id = "${local.schema}_loader_${var.role_suffix}"
  title   = "${var.name}: dbt"

  # stage_external_sources says "create schema if not exists", which asks for the second even when it does.
  permissions = ["bigquery.jobs.create", "bigquery.datasets.create", "datacatalog.taxonomies.get"]
}

resource "google_project_iam_member" "loader" {
  project = var.project_id
  role    = google_project_iam_custom_role.loader.id
  member  = var.loader_member
}

# Queries are paid by this project, so who reads must be allowed to ask.
resource "google_project_iam_member" "query" {
  for_each = toset(concat(var.analysts, var.readers))

  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = each.key
}

# dbt puts the policy tag on the marts' customer_id. Anyone else who gets to a table is refused the column.
resource "google_project_iam_custom_role" "masker" {
  role_id = "${local.schema}_masker_${var.role_suffix}"
  title   = "${var.name}: puts policy tags on columns, makes the readers' views"

  # The second: whoever makes a view that reads a dataset for others has to be allowed to change that dataset
  # (docs.cloud.google.com/bigquery/docs/authorized-datasets). Not its access, which would take setIamPolicy.
  permissions = ["bigquery.tables.setCategory", "bigquery.datasets.update"]
}

resource "google_data_catalog_taxonomy" "this" {
  display_name           = "${var.name}-personal-data"
  region                 = var.region
  activated_policy_types = ["FINE_GRAINED_ACCESS_CONTROL"]
}

resource "google_data_catalog_policy_tag" "customer" {
  taxonomy     = google_data_catalog_taxonomy.this.id
  display_name = "customer"
  description  = "Tells which customer a row is about."
}

resource "google_data_catalog_policy_tag_iam_binding" "clear" {
  policy_tag = google_data_catalog_policy_tag.customer.name
  role       = "roles/datacatalog.categoryFineGrainedReader"
  members    = concat([var.loader_member], var.analysts)
}

# Enterprise is the smallest edition with policy tags. It holds for all queries of the project.
resource "google_bigquery_reservation" "this" {
  count = var.mode == "provisioned" ? 1 : 0

  name          = var.name
  location      = var.region
  edition       = "ENTERPRISE"
  slot_capacity = { small = 50, large = 100 }[var.size]

  autoscale {
    max_slots = { small = 50, large = 300 }[var.size]
  }
}

resource "google_bigquery_reservation_assignment" "this" {
  count = var.mode == "provisioned" ? 1 : 0

  reservation = google_bigquery_reservation.this[0].id
  assignee    = "projects/${var.project_id}"
  job_type    = "QUERY"
}
