variable "name" {
  description = "Name of the network."
  type        = string
}

variable "region" {
  description = "Region of the network."
  type        = string
}

variable "cidr" {
  description = "Address range of the network."
  type        = string
}

variable "nat_per_zone" {
  description = "A NAT gateway in each zone, so that losing a zone does not cut off the others; else one."
  type        = bool
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow log."
  type        = string
}

variable "zones" {
  description = "Names of three zones; null: the first three that Kubernetes takes."
  type        = list(string)
}
