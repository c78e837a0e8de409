{#- The key of a dimension's member from its natural key: a surrogate key, or -1 (the unknown member) for NULL. -#}
{% macro dimension_key(column, qualifiers=[]) -%}
    case when {{ column }} is null then -1 else {{ surrogate_key([column] + qualifiers) }} end
{%- endmacro %}


{#- A browser that was derived is another member than the same one that was delivered. (Redshift casts no boolean to text.) -#}
{% macro browser_key(browser, is_derived) -%}
    {{ dimension_key(browser, ["case when " ~ is_derived ~ " then 'derived' else 'delivered' end"]) }}
{%- endmacro %}
