"""The boundary between staging and dbt: tables and columns, days, paths, and how a day is put in place."""
