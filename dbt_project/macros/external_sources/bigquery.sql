{#-
    BigQuery: external tables over folders partitioned by Hive's convention. New days, new runs and replaced files are seen
    automatically; only a table without any file cannot be queried. Only *.parquet: tools leave empty objects that stand for folders.
-#}

{% macro bigquery__external_types() %}
    {{ return({
        'string': 'string', 'int': 'int64', 'bigint': 'int64', 'double': 'float64', 'decimal': 'numeric',
        'boolean': 'bool', 'date': 'date', 'timestamp': 'timestamp',
    }) }}
{% endmacro %}


{#- {description}: of the table as it is, which holds a fingerprint of its definition; none when there is no such table. -#}
{% macro bigquery__external_state(relation, spec) %}
    {%- if load_relation(relation) is none -%}
        {{ return({'description': none}) }}
    {%- endif -%}
    {%- set options -%}
        select json_value(option_value) from {{ relation.without_identifier() }}.INFORMATION_SCHEMA.TABLE_OPTIONS
        where table_name = '{{ relation.identifier }}' and option_name = 'description'
    {%- endset -%}
    {%- set descriptions = run_query(options).columns[0].values() -%}
    {{ return({'description': descriptions[0] if descriptions else ''}) }}
{% endmacro %}


{% macro bigquery__external_statements(relation, spec, state) %}
    {%- set description = "Made by stage_external_sources, definition " ~ local_md5(spec | string) -%}
    {%- if state.description == description -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set columns, partitions = [], [] -%}
    {%- for column in spec.columns -%}{%- do columns.append("    " ~ column.name ~ " " ~ column.type) -%}{%- endfor -%}
    {%- for column in spec.partitions -%}{%- do partitions.append(column.name ~ " " ~ column.type) -%}{%- endfor -%}
    {{ return([
        "create schema if not exists " ~ relation.without_identifier() ~ "\noptions (location = '" ~ target.location ~ "')",
        "create or replace external table " ~ relation ~ " (\n" ~ columns | join(",\n") ~ "\n)\n"
        ~ "with partition columns (" ~ partitions | join(", ") ~ ")\n"
        ~ "options (\n    format = 'PARQUET',\n    uris = ['" ~ spec.location ~ "/*.parquet'],\n"
        ~ "    hive_partition_uri_prefix = '" ~ spec.location ~ "',\n    require_hive_partition_filter = false,\n"
        ~ "    description = '" ~ description ~ "'\n)",
    ]) }}
{% endmacro %}
