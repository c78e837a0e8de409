"""Stand-ins for the cloud warehouses: what the tests run the real dbt adapters against, without an account."""
