{#- The type of texts of any length, or of so many bytes at most where the warehouse takes memory by the declared length. -#}
{% macro type_text(most_bytes=none) -%}
    {{ return(adapter.dispatch('type_text', 'movie_analytics')(most_bytes)) }}
{%- endmacro %}

{% macro default__type_text(most_bytes) -%}
    {{ return(dbt.type_string()) }}
{%- endmacro %}

{#- Redshift's own text is varchar(256), and a cast to it cuts what is longer. -#}
{% macro redshift__type_text(most_bytes) -%}
    {{ return('varchar(' ~ (most_bytes or 65535) ~ ')') }}
{%- endmacro %}
