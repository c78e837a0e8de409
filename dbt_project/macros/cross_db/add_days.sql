{#- A date so many days later; a date in every warehouse (dbt.dateadd gives a timestamp or datetime in some). -#}
{% macro add_days(date, days) -%}
    cast({{ dbt.dateadd('day', days, date) }} as date)
{%- endmacro %}
