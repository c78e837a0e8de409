gcp_project_id     = "your-project-id"
environment        = "prod"
region             = "europe-west1"
size               = "large"
start_date         = "2021-01-01"
budget_monthly_usd = 2500
alert_email        = "data-platform@example.com"
allowed_cidrs      = []

# Principals that read everything but the pseudonyms, and those that read the marts without the customers: group:analysts@example.com …
warehouse_analysts = []
warehouse_readers  = []
