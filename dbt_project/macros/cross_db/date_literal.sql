{#- A date from an ISO text: date_literal('2021-01-31'). -#}
{% macro date_literal(iso_date) -%}
    cast('{{ iso_date }}' as date)
{%- endmacro %}
