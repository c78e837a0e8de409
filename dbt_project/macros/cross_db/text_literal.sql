{#- A text with its type: on Redshift a bare literal has the type `unknown`, which the next query cannot compare or union.
    At most 256 bytes. -#}
{% macro text_literal(text) -%}
    cast('{{ text }}' as {{ type_text(256) }})
{%- endmacro %}
