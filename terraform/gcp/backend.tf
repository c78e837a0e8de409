# One bucket holds the states of all environments; environments/<environment>.gcs.tfbackend names it. GCS locks it.
terraform {
  backend "gcs" {}
}
