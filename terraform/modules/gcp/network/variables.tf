variable "name" {
  description = "Name of the network, and first part of its subnets' names."
  type        = string
}

variable "region" {
  description = "Region of the subnets."
  type        = string
}

variable "cidr" {
  description = "Address range that subnets, pods, services and databases are cut from."
  type        = string
}
