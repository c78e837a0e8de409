{#-
    A text that somebody typed as a literal, whatever is in it. dbt's escape_single_quotes does not do that: in Redshift and BigQuery a
    backslash before a quote keeps the quote from ending the text, and a text of BigQuery ends with its line.
-#}
{% macro quoted(text) -%}
    {{ return(adapter.dispatch('quoted', 'movie_analytics')(text | string)) }}
{%- endmacro %}

{% macro default__quoted(text) -%}
    {{ return("'" ~ text | replace("'", "''") ~ "'") }}
{%- endmacro %}

{% macro redshift__quoted(text) -%}
    {{ return("'" ~ text | replace("\\", "\\\\") | replace("'", "''") ~ "'") }}
{%- endmacro %}

{% macro bigquery__quoted(text) -%}
    {{ return(
        "'" ~ text | replace("\\", "\\\\") | replace("'", "\\'") | replace("\n", "\\n") | replace("\r", "\\r") ~ "'"
    ) }}
{%- endmacro %}
