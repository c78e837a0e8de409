# The smallest stack, for trying things: destroy takes its data with it.
environment        = "dev"
region             = "eu-west-1"
ephemeral          = true
start_date         = "2021-01-01"
budget_monthly_usd = 400
alert_email        = "data-platform@example.com"
# From where you run `make deploy`, for example ["203.0.113.7/32"].
allowed_cidrs = []
# Everyone who deploys: aws sts get-caller-identity.
cluster_administrators = ["arn:aws:iam::123456789012:role/your-role"]
