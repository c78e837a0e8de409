# The state is in a bucket of its own, locked while it is in use: terraform init -backend-config=environments/dev.s3.tfbackend
terraform {
  backend "s3" {
    use_lockfile = true
    encrypt      = true
  }
}
