{#- The type of floating-point numbers with 64 bits. (dbt's own type_float has 32 in DuckDB.) -#}
{% macro type_double() -%}
    {{ return(adapter.dispatch('type_double', 'movie_analytics')()) }}
{%- endmacro %}

{% macro default__type_double() -%}
    {{ return('double precision') }}
{%- endmacro %}

{% macro duckdb__type_double() -%}
    {{ return('double') }}
{%- endmacro %}

{% macro bigquery__type_double() -%}
    {{ return('float64') }}
{%- endmacro %}
