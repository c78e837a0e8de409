{#- The key of a dimension's member from its natural key: a surrogate key, or -1 (the unknown member) for NULL. -#}
{% macro dimension_key(column, qualifiers=[]) -%}
    case when {{ column }} is null then -1 else {{ surrogate_key([column] + qualifiers) }} end
{%- endmacro %}
