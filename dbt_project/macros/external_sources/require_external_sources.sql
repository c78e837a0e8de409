{#-
    Says what to run when models are built before the external tables are there; DuckDB's own message would only say that
    some relation does not exist. For a developer's first commands: in production staging them is a step of the run, and
    asking Redshift's catalogue of external tables would cost every run some seconds.
-#}
{% macro require_external_sources() %}
    {%- if execute and target.type == 'duckdb' and flags.WHICH in ['run', 'build'] -%}
        {%- for table in external_source_tables(none) if not load_relation(external_relation(table)) -%}
            {{ exceptions.raise_compiler_error(
                "The external table " ~ external_relation(table) ~ " is not there yet. Create it with "
                ~ "`dbt run-operation stage_external_sources`, then build again."
            ) }}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
