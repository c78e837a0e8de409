{#-
    Creates or updates the external table of every source table that has an `external:` property:

        dbt run-operation stage_external_sources
        dbt run-operation stage_external_sources --args '{select: user_purchase review_logs, dry_run: true}'

    select: names of source tables, separated by blanks; all of them when it is left out.
    dry_run: print the statements, run none.

    Macros that make statements are pure: they return a list of texts; this is the one place that runs them.
-#}
{% macro stage_external_sources(select=none, dry_run=false) %}
    {%- set tables = external_source_tables(select) -%}
    {%- for table in tables -%}
        {%- set spec = external_spec(table) -%}
        {%- set has_files = external_files_exist(spec) -%}
        {%- for statement in external_table_statements(external_relation(table), table, spec, has_files) -%}
            {%- if dry_run -%}
                {{ print(statement ~ ";\n") }}
            {%- else -%}
                {%- do run_query(statement) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if not dry_run -%}
            {{ print("external table " ~ table.name ~ ": " ~ spec.location ~ ("" if has_files else " (no files yet)")) }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}


{#- The source nodes to stage, in the order of their names. -#}
{% macro external_source_tables(select) %}
    {%- set external = graph.sources.values() | selectattr('external') | sort(attribute='name') | list -%}
    {%- set known = external | map(attribute='name') | list -%}
    {%- set wanted = (select | string).split() if select else known -%}
    {%- set unknown = wanted | reject('in', known) | list -%}
    {%- if unknown -%}
        {{ exceptions.raise_compiler_error(
            "No external source table is called " ~ unknown | join(", ") ~ ". There are: " ~ known | join(", ") ~ "."
        ) }}
    {%- endif -%}
    {{ return(external | selectattr('name', 'in', wanted) | list) }}
{% endmacro %}


{#- The relation that source() gives for a source table. -#}
{% macro external_relation(table) %}
    {{ return(api.Relation.create(
        database=table.database, schema=table.schema, identifier=table.identifier, quote_policy=table.quoting
    )) }}
{% endmacro %}
