{#-
    The rows of a staging table that count, as a query: of each day those of the run that stg_delivery names for that table.
    Other runs of the day may be there too: older, killed or concurrent ones.

    stg_delivery is a table, not a view of the delivery files, so that all models of a build follow the same runs, whatever is committed
    while it goes on. A view would also be read after the engine has listed the files of the staging table: it could name
    a run of which the engine has seen no file, or not all (seen on DuckDB). The files of that run stay: the next run of the day keeps them.

    insert_date is the table's own, so that a filter on it with literals prunes the table's files in every warehouse.
-#}
{% macro committed_rows(table_name) -%}
    select staged.*
    from {{ source('staging', table_name) }} as staged
    inner join {{ ref('stg_delivery') }} as delivery
        on
            staged.insert_date = delivery.insert_date
            and staged.run = delivery.run
            and delivery.table_name = {{ 'staged.table_name' if table_name == 'rejection' else "'" ~ table_name ~ "'" }}
{%- endmacro %}


{#-
    The same of a table that is written only when it is asked for. Before its first run it has no files, and BigQuery refuses to query an external
    table without any: then there are no rows, of the declared types. Whether there is a run, stg_delivery knows.
-#}
{% macro committed_rows_if_any(table_name) -%}
    {%- set rows = committed_rows(table_name) -%}
    {%- if not is_ever_delivered(ref('stg_delivery'), table_name) -%}
        {%- set spec = external_spec(external_source_tables(table_name) | first) if execute else {'columns': [], 'partitions': []} -%}
        {%- set columns = [] -%}
        {%- for column in spec.columns + spec.partitions -%}
            {%- do columns.append("cast(null as " ~ column.type ~ ") as " ~ column.name) -%}
        {%- endfor -%}
        {%- set rows = "select " ~ (columns | join(", ") or "*") ~ " from " ~ ref('stg_delivery') ~ " where false" -%}
    {%- endif -%}
    {{ rows }}
{%- endmacro %}


{#- For the inputs of a unit test, and before anything was built, it may be. -#}
{% macro is_ever_delivered(stg_delivery, table_name) -%}
    {%- if not has_rows_to_ask_for(stg_delivery) -%}
        {{ return(stg_delivery.is_cte or not execute) }}
    {%- endif -%}
    {%- set found = run_query("select 1 from " ~ stg_delivery ~ " where table_name = '" ~ table_name ~ "' and run is not null limit 1") -%}
    {{ return(found.rows | length > 0) }}
{%- endmacro %}
