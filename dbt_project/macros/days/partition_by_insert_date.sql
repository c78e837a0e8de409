{#-
    Days are replaced whole, so a table that is laid out by day is rewritten by day: partitions in BigQuery, the sort key
    in Redshift (`sort`, in the models). The dictionary is BigQuery's alone; dbt-duckdb cannot read it.
-#}
{% macro partition_by_insert_date() -%}
    {{ return({'field': 'insert_date', 'data_type': 'date'} if target.type == 'bigquery' else none) }}
{%- endmacro %}


{#- By months, where the dates are of any year: a job may change 4,000 partitions. -#}
{% macro partition_by_month(field) -%}
    {{ return(
        {'field': field, 'data_type': 'date', 'granularity': 'month'} if target.type == 'bigquery' else none
    ) }}
{%- endmacro %}
