"""dbt's own judge of projects, dbt-project-evaluator, on this one."""
