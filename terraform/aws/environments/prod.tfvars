environment        = "prod"
region             = "eu-west-1"
size               = "large"
start_date         = "2021-01-01"
budget_monthly_usd = 2500
alert_email        = "data-platform@example.com"
allowed_cidrs      = []
# Everyone who deploys: aws sts get-caller-identity, and the role of GitHub's environment.
cluster_administrators = ["arn:aws:iam::123456789012:role/your-role"]

# Names of IAM roles: who reads everything but the pseudonyms, and who reads the marts without the customers.
warehouse_analysts = []
warehouse_readers  = []
