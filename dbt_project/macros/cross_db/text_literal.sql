{#- A text with its type: on Redshift a bare literal has the type `unknown`, which the next query cannot compare or union. -#}
{% macro text_literal(text) -%}
    cast('{{ text }}' as {{ type_text() }})
{%- endmacro %}
