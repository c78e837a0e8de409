"""`make bench`: the staging commands beside the usual ways to do the same work, and dbt's day after many days."""
