output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Private subnets, one in each of three zones, with a way out."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]

  depends_on = [aws_route_table_association.private, aws_nat_gateway.this, aws_route_table_association.public]
}
