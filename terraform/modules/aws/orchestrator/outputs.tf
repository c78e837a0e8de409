output "cluster_name" {
  description = "The Kubernetes cluster; its nodes are there."
  value       = aws_eks_cluster.this.name

  depends_on = [aws_eks_node_group.this, aws_eks_access_policy_association.administrator]
}

output "security_group_id" {
  description = "Security group of the cluster's nodes."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "airflow_role_arn" {
  description = "Role of Airflow's service account, for its annotation eks.amazonaws.com/role-arn."
  value       = aws_iam_role.airflow.arn
}

output "eraser_role_arns" {
  description = "Role that erases customers, in a list; none when there is no eraser."
  value       = aws_iam_role.eraser[*].arn
}

output "metadata_host" {
  description = "Host of Airflow's own PostgreSQL."
  value       = aws_db_instance.metadata.address
}

output "metadata_secret_id" {
  description = "Secret with the administrator's name and password of Airflow's own PostgreSQL."
  value       = one(aws_db_instance.metadata.master_user_secret[*].secret_arn)
}

output "image_repository" {
  description = "Repository of Airflow's image."
  value       = aws_ecr_repository.airflow.repository_url
}
