{#-
    DuckDB has no sort keys, but it skips row groups by their smallest and largest values: a table that is written in the order of
    `sort` (Redshift's setting) is read by days as one that grew day by day. Otherwise a build of many days at once leaves all days in
    every group, and each later day reads the whole table.
-#}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- if config.get('sort') and language == 'sql' -%}
        {%- set compiled_code -%}
            select * from (
                {{ compiled_code }}
            ) as unsorted
            order by {{ config.get('sort') }}
        {%- endset -%}
    {%- endif -%}
    {{ return(dbt.duckdb__create_table_as(temporary, relation, compiled_code, language, partitioned_by, sorted_by)) }}
{%- endmacro %}
