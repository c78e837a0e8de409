{#- The elements of an array of structs as rows, for `cross join`: {{ unnest_structs('orders.lines', 'line') }}, then line.quantity. -#}
{% macro unnest_structs(array, name) -%}
    {{ return(adapter.dispatch('unnest_structs', 'movie_analytics')(array, name)) }}
{%- endmacro %}

{#- DuckDB's alias names the row, and the element is a column of it. -#}
{% macro default__unnest_structs(array, name) -%}
    unnest({{ array }}) as {{ name }} ({{ name }})
{%- endmacro %}

{% macro bigquery__unnest_structs(array, name) -%}
    unnest({{ array }}) as {{ name }}
{%- endmacro %}
