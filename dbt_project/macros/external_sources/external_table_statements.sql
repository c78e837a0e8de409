{#- The statements that create or update one external table, as a list of texts. -#}
{% macro external_table_statements(relation, table, spec, has_files) %}
    {{ return(adapter.dispatch('external_table_statements', 'movie_analytics')(relation, table, spec, has_files)) }}
{% endmacro %}

{% macro default__external_table_statements(relation, table, spec, has_files) %}
    {{ exceptions.raise_compiler_error("stage_external_sources does not know " ~ target.type ~ ".") }}
{% endmacro %}

{#-
    DuckDB: a view over the files with the declared types. Replacing it on every run costs nothing and follows the YAML.
    While there are no files yet it is an empty view with the same columns, so that models and unit tests can be built.
-#}
{% macro duckdb__external_table_statements(relation, table, spec, has_files) %}
    {%- set columns = [] -%}
    {%- set partitions = [] -%}
    {%- for column in table.columns.values() -%}
        {%- do columns.append("    cast(" ~ (column.name if has_files else 'null') ~ " as " ~ column.data_type ~ ") as " ~ column.name) -%}
    {%- endfor -%}
    {%- for partition in spec.partitions -%}
        {%- do columns.append("    " ~ (partition.name if has_files else "cast(null as " ~ partition.data_type ~ ")") ~ " as " ~ partition.name) -%}
        {%- do partitions.append("'" ~ partition.name ~ "': " ~ partition.data_type) -%}
    {%- endfor -%}
    {%- set files -%}
        read_parquet('{{ spec.location }}/*/*.parquet', hive_partitioning = true, hive_types = { {{- partitions | join(", ") -}} })
    {%- endset -%}
    {{ return([
        "create schema if not exists " ~ relation.without_identifier(),
        "create or replace view " ~ relation ~ " as\nselect\n" ~ columns | join(",\n") ~ "\n"
            ~ ("from " ~ files if has_files else "where false"),
    ]) }}
{% endmacro %}
