# Who may do what in the buckets, all of it: a grant that is not here is taken away by the next apply. Project owners
# administer the buckets and read no objects. The folders are those that the jobs read and write.

locals {
  spark_tables = ["classified_movie_review", "review_logs"]
  # A job writes here before it puts files in place.
  incoming = ".incoming"
  # Every writer adds its own file to these: what was delivered, what was rejected and why.
  shared_tables = ["delivery", "rejection"]

  # role: what; folders: only in objects that begin so, file: and end so ("" and none: everywhere).
  grants = {
    raw = [
      { member = var.spark_member, role = "roles/storage.legacyBucketReader", folders = [], file = "" },
      { member = var.airflow_member, role = "roles/storage.legacyBucketReader", folders = [], file = "" },
      { member = var.spark_member, role = "roles/storage.objectViewer", folders = ["movie_review/", "log_reviews/"], file = "" },
      # Not the vendor's feeds, which hold personal data: Airflow only waits for them.
      { member = var.airflow_member, role = "roles/storage.objectViewer", folders = ["user_purchase/"], file = "" },
    ]
    staging = [
      { member = var.spark_member, role = "roles/storage.legacyBucketReader", folders = [], file = "" },
      { member = var.spark_member, role = "roles/storage.objectUser", folders = concat(local.spark_tables, local.shared_tables, [local.incoming]), file = "" },
      # dbt runs as Airflow; an external table is read with the rights of who asks.
      { member = var.airflow_member, role = "roles/storage.legacyBucketReader", folders = [], file = "" },
      { member = var.airflow_member, role = "roles/storage.objectViewer", folders = [], file = "" },
      # The export runs on Airflow's worker and replaces its own files.
      { member = var.airflow_member, role = "roles/storage.objectUser", folders = ["user_purchase/"], file = "" },
      { member = var.airflow_member, role = "roles/storage.objectUser", folders = [for table in local.shared_tables : "${table}/"], file = "/user_purchase.parquet" },
    ]
    quarantine = [
      { member = var.spark_member, role = "roles/storage.legacyBucketReader", folders = [], file = "" },
      { member = var.spark_member, role = "roles/storage.objectUser", folders = concat(local.spark_tables, [local.incoming]), file = "" },
      # Writes and replaces, and never reads rejected records back.
      { member = var.airflow_member, role = "roles/storage.legacyBucketReader", folders = [], file = "" },
      { member = var.airflow_member, role = "roles/storage.legacyBucketWriter", folders = ["user_purchase/"], file = "" },
    ]
    artifacts = [
      { member = var.spark_member, role = "roles/storage.legacyBucketReader", folders = [], file = "" },
      { member = var.spark_member, role = "roles/storage.objectViewer", folders = ["spark/"], file = "" },
      { member = var.airflow_member, role = "roles/storage.legacyBucketReader", folders = [], file = "" },
      { member = var.airflow_member, role = "roles/storage.objectUser", folders = ["docs/", "airflow-logs/"], file = "" },
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
              grant.file == "" ? "" : " && resource.name.endsWith(\"${grant.file}\")",
            ])
          }
        },
      )],
    )
  })
}
