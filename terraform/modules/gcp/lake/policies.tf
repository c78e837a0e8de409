# Who may do what in the buckets, all of it: a grant that is not here is taken away by the next apply. Project owners
# administer the buckets and read no objects. The folders are those that the jobs read and write.

locals {
  spark_tables  = ["classified_movie_review", "other_classification", "review_logs"]
  table_folders = [for table in concat(local.spark_tables, ["user_purchase"]) : "${table}/"]
  # Every writer adds its own files to delivery and rejection. With a run's folder Arrow also deletes its marker, an object
  # whose name ends in a slash, whether there is one or not.
  spark_files   = [for table in local.spark_tables : "/${table}.parquet"]
  airflow_files = ["/user_purchase.parquet"]
  marker        = "/"

  # role: what; folders: only in objects that begin so, files: and end so (none: everywhere).
  grants = {
    raw = [
      { member = var.spark_member, role = "roles/storage.legacyBucketReader", folders = [], files = [] },
      { member = var.airflow_member, role = "roles/storage.legacyBucketReader", folders = [], files = [] },
      { member = var.spark_member, role = "roles/storage.objectViewer", folders = ["movie_review/", "log_reviews/"], files = [] },
      # Not the vendor's feeds, which hold personal data: Airflow only waits for them.
      { member = var.airflow_member, role = "roles/storage.objectViewer", folders = ["user_purchase/"], files = [] },
    ]
    staging = concat([
      { member = var.spark_member, role = "roles/storage.legacyBucketReader", folders = [], files = [] },
      { member = var.spark_member, role = "roles/storage.objectUser", folders = [for table in local.spark_tables : "${table}/"], files = [] },
      { member = var.spark_member, role = "roles/storage.objectUser", folders = ["delivery/"], files = local.spark_files },
      { member = var.spark_member, role = "roles/storage.objectUser", folders = ["rejection/"], files = concat(local.spark_files, [local.marker]) },
      # Who was erased.
      { member = var.spark_member, role = "roles/storage.objectViewer", folders = ["suppression/"], files = [] },
      # dbt runs as Airflow; an external table is read with the rights of who asks.
      { member = var.airflow_member, role = "roles/storage.legacyBucketReader", folders = [], files = [] },
      { member = var.airflow_member, role = "roles/storage.objectViewer", folders = [], files = [] },
      # The export runs on Airflow's worker. To replace an object takes the right to delete it.
      { member = var.airflow_member, role = "roles/storage.objectUser", folders = ["user_purchase/"], files = [] },
      { member = var.airflow_member, role = "roles/storage.objectUser", folders = ["delivery/"], files = local.airflow_files },
      { member = var.airflow_member, role = "roles/storage.objectUser", folders = ["rejection/"], files = concat(local.airflow_files, [local.marker]) },
      ], flatten([for member in var.eraser_members : [
        { member = member, role = "roles/storage.legacyBucketReader", folders = [], files = [] },
        { member = member, role = "roles/storage.objectUser", folders = concat(local.table_folders, ["delivery/", "rejection/", "suppression/"]), files = [] },
    ]]))
    quarantine = concat([
      { member = var.spark_member, role = "roles/storage.legacyBucketReader", folders = [], files = [] },
      { member = var.spark_member, role = "roles/storage.objectUser", folders = [for table in local.spark_tables : "${table}/"], files = [] },
      # Writes and removes, and never reads rejected records back.
      { member = var.airflow_member, role = "roles/storage.legacyBucketReader", folders = [], files = [] },
      { member = var.airflow_member, role = "roles/storage.legacyBucketWriter", folders = ["user_purchase/"], files = [] },
      ], flatten([for member in var.eraser_members : [
        { member = member, role = "roles/storage.legacyBucketReader", folders = [], files = [] },
        { member = member, role = "roles/storage.objectUser", folders = local.table_folders, files = [] },
        # Who read raw records: written, and never changed or taken away.
        { member = member, role = "roles/storage.objectCreator", folders = ["read/"], files = [] },
    ]]))
    artifacts = [
      { member = var.spark_member, role = "roles/storage.legacyBucketReader", folders = [], files = [] },
      { member = var.spark_member, role = "roles/storage.objectViewer", folders = ["spark/"], files = [] },
      { member = var.airflow_member, role = "roles/storage.legacyBucketReader", folders = [], files = [] },
      { member = var.airflow_member, role = "roles/storage.objectUser", folders = ["docs/", "airflow-logs/"], files = [] },
    ]
  }
}

resource "google_storage_bucket_iam_policy" "layer" {
  for_each = local.grants

  bucket = google_storage_bucket.layer[each.key].name
  policy_data = jsonencode({
    bindings = concat(
      [{ role = "roles/storage.legacyBucketOwner", members = ["projectOwner:${var.project_id}"] }],
      [for grant in each.value : merge(
        { role = grant.role, members = [grant.member] },
        length(grant.folders) == 0 ? {} : {
          condition = {
            title = "in ${join(", ", grant.folders)}"
            expression = join("", [
              "(",
              join(" || ", [for folder in grant.folders : "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.layer[each.key].name}/objects/${folder}\")"]),
              ")",
              length(grant.files) == 0 ? "" : " && (${join(" || ", [for file in grant.files : "resource.name.endsWith(\"${file}\")"])})",
            ])
          }
        },
      )],
    )
  })
}
