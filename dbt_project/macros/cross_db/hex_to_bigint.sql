{#- The number that a text of at most 15 hex digits represents. -#}
{% macro hex_to_bigint(hex) -%}
    {{ return(adapter.dispatch('hex_to_bigint', 'movie_analytics')(hex)) }}
{%- endmacro %}

{% macro default__hex_to_bigint(hex) -%}
    cast('0x' || {{ hex }} as {{ dbt.type_bigint() }})
{%- endmacro %}

{#- Redshift casts no hex text; strtol is its own function for it. -#}
{% macro redshift__hex_to_bigint(hex) -%}
    strtol({{ hex }}, 16)
{%- endmacro %}
