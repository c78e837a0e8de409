provider "aws" {
  region = var.region

  default_tags {
    tags = merge(var.labels, {
      Project     = var.project
      Environment = var.environment
      ManagedBy   = "terraform"
    })
  }
}
