{#- DuckDB: an external table is a view over the files, with the declared types. -#}

{% macro duckdb__external_types() %}
    {{ return({
        'string': 'varchar', 'int': 'integer', 'bigint': 'bigint', 'double': 'double', 'decimal': 'decimal',
        'boolean': 'boolean', 'date': 'date', 'timestamp': 'timestamp',
    }) }}
{% endmacro %}


{#- A folder without files cannot be read. -#}
{% macro duckdb__external_state(relation, spec) %}
    {%- set files = run_query("select file from glob('" ~ files_of(spec) ~ "') limit 1") -%}
    {{ return({'has_no_files': not files.rows}) }}
{% endmacro %}


{#-
    Replacing the view on every run costs nothing and follows the YAML. While there are no files yet it is an empty view
    with the same columns, so that models and unit tests can be built.
-#}
{% macro duckdb__external_statements(relation, spec, state) %}
    {%- set columns, partition_types = [], [] -%}
    {%- for column in spec.columns + spec.partitions -%}
        {%- set value = 'null' if state.has_no_files else column.name -%}
        {%- do columns.append("    cast(" ~ value ~ " as " ~ column.type ~ ") as " ~ column.name) -%}
    {%- endfor -%}
    {%- for column in spec.partitions -%}
        {%- do partition_types.append("'" ~ column.name ~ "': " ~ column.type) -%}
    {%- endfor -%}
    {%- set files -%}
        read_parquet('{{ files_of(spec) }}', hive_partitioning = true, hive_types = { {{- partition_types | join(", ") -}} })
    {%- endset -%}
    {{ return([
        "create schema if not exists " ~ relation.without_identifier(),
        "create or replace view " ~ relation ~ " as\nselect\n" ~ columns | join(",\n") ~ "\n"
            ~ ("where false" if state.has_no_files else "from " ~ files),
    ]) }}
{% endmacro %}


{#- A folder for each partition column, and any number of files in the innermost. -#}
{% macro files_of(spec) %}
    {{ return(spec.location ~ "/*" * (spec.partitions | length) ~ "/*.parquet") }}
{% endmacro %}
