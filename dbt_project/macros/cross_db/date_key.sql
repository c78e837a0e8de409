{#- A date as the integer yyyymmdd; NULL stays NULL. -#}
{% macro date_key(date) -%}
    cast(
        extract(year from {{ date }}) * 10000
        + extract(month from {{ date }}) * 100
        + extract(day from {{ date }}) as {{ dbt.type_int() }}
    )
{%- endmacro %}
