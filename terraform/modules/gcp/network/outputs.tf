output "network_id" {
  description = "The network, once databases can be reached in it."
  value       = google_compute_network.this.id
  depends_on  = [google_service_networking_connection.databases]
}

output "kubernetes_subnet_id" {
  description = "Subnet of Kubernetes, with ranges named pods and services."
  value       = google_compute_subnetwork.kubernetes.id
}

output "spark_subnet_id" {
  description = "Subnet of Spark."
  value       = google_compute_subnetwork.spark.id
  depends_on  = [google_compute_firewall.spark, google_compute_router_nat.this]
}
