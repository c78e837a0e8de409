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
