# The provider checks the shape of the ids that it is handed even when it is mocked, so everything computed that another
# resource takes in has a well-formed value.

mock_data "google_project" {
  defaults = {
    number          = "123456789012"
    billing_account = "000000-AAAAAA-BBBBBB"
  }
}

mock_data "google_storage_project_service_account" {
  defaults = {
    email_address = "service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    member        = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
  }
}

mock_resource "google_compute_network" {
  defaults = { id = "projects/demo-project/global/networks/mock" }
}

mock_resource "google_compute_subnetwork" {
  defaults = { id = "projects/demo-project/regions/europe-west1/subnetworks/mock" }
}

mock_resource "google_kms_key_ring" {
  defaults = { id = "projects/demo-project/locations/europe-west1/keyRings/mock" }
}

mock_resource "google_kms_crypto_key" {
  defaults = { id = "projects/demo-project/locations/europe-west1/keyRings/mock/cryptoKeys/mock" }
}

mock_resource "google_sql_database_instance" {
  defaults = { private_ip_address = "10.20.48.3" }
}

mock_resource "google_data_catalog_taxonomy" {
  defaults = { id = "projects/demo-project/locations/europe-west1/taxonomies/1" }
}

mock_resource "google_data_catalog_policy_tag" {
  defaults = { name = "projects/demo-project/locations/europe-west1/taxonomies/1/policyTags/2" }
}

mock_resource "google_bigquery_reservation" {
  defaults = { id = "projects/demo-project/locations/europe-west1/reservations/mock" }
}

mock_resource "google_monitoring_notification_channel" {
  defaults = { id = "projects/demo-project/notificationChannels/1" }
}
