# One private network: a subnet for Kubernetes, one for Spark, a peering for the databases. Nothing has a public address;
# what goes out goes through NAT, and to Google's services without leaving its network.

resource "google_compute_network" "this" {
  name                    = var.name
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "kubernetes" {
  name                     = "${var.name}-kubernetes"
  network                  = google_compute_network.this.id
  region                   = var.region
  ip_cidr_range            = cidrsubnet(var.cidr, 4, 0)
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = cidrsubnet(var.cidr, 4, 2)
  }

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = cidrsubnet(var.cidr, 1, 1)
  }

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_subnetwork" "spark" {
  name                     = "${var.name}-spark"
  network                  = google_compute_network.this.id
  region                   = var.region
  ip_cidr_range            = cidrsubnet(var.cidr, 4, 1)
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

# Driver and executors talk to each other on ports that Spark chooses; no one else gets through to them.
resource "google_compute_firewall" "spark" {
  name               = "${var.name}-spark"
  network            = google_compute_network.this.id
  direction          = "INGRESS"
  source_ranges      = [google_compute_subnetwork.spark.ip_cidr_range]
  destination_ranges = [google_compute_subnetwork.spark.ip_cidr_range]

  allow {
    protocol = "tcp"
  }

  allow {
    protocol = "udp"
  }

  allow {
    protocol = "icmp"
  }
}

resource "google_compute_router" "this" {
  name    = var.name
  network = google_compute_network.this.id
  region  = var.region
}

resource "google_compute_router_nat" "this" {
  name                               = var.name
  router                             = google_compute_router.this.name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

# The databases live in a network of Google's that is peered with this one.
resource "google_compute_global_address" "databases" {
  name          = "${var.name}-databases"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  address       = cidrhost(cidrsubnet(var.cidr, 4, 3), 0)
  prefix_length = tonumber(split("/", var.cidr)[1]) + 4
  network       = google_compute_network.this.id
}

resource "google_service_networking_connection" "databases" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.databases.name]

  # Cloud SQL keeps its side for days after the last database is deleted, and would let neither the connection nor the
  # network go: `make destroy` removes the peering, and Terraform only forgets it.
  deletion_policy = "ABANDON"
  # What Cloud SQL kept of an earlier stack of this name is taken over.
  update_on_creation_fail = true
}
