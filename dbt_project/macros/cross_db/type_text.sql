{#- The type of texts of any length. -#}
{% macro type_text() -%}
    {{ return(adapter.dispatch('type_text', 'movie_analytics')()) }}
{%- endmacro %}

{% macro default__type_text() -%}
    {{ return(dbt.type_string()) }}
{%- endmacro %}

{#- Redshift's own text is varchar(256), and a cast to it cuts what is longer. -#}
{% macro redshift__type_text() -%}
    {{ return('varchar(65535)') }}
{%- endmacro %}
