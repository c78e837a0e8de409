{#- a / b for integers, a not negative and b positive, without a remainder. -#}
{% macro integer_quotient(a, b) -%}
    {{ return(adapter.dispatch('integer_quotient', 'movie_analytics')(a, b)) }}
{%- endmacro %}

{#- `/` on integers is a fraction in DuckDB and BigQuery, and an integer in Redshift. -#}
{% macro default__integer_quotient(a, b) -%}
    div({{ a }}, {{ b }})
{%- endmacro %}

{% macro duckdb__integer_quotient(a, b) -%}
    (({{ a }}) // ({{ b }}))
{%- endmacro %}

{% macro redshift__integer_quotient(a, b) -%}
    (({{ a }}) / ({{ b }}))
{%- endmacro %}
