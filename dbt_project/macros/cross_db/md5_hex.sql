{#-
    The MD5 of a text as 32 hex digits in lower case. Not dbt.hash: it casts to `text`, which is varchar(256) on Redshift, so that texts
    which differ only after 256 bytes would have the same hash.
-#}
{% macro md5_hex(text) -%}
    {{ return(adapter.dispatch('md5_hex', 'movie_analytics')(text)) }}
{%- endmacro %}

{% macro default__md5_hex(text) -%}
    md5({{ text }})
{%- endmacro %}

{#- BigQuery's md5 gives bytes. -#}
{% macro bigquery__md5_hex(text) -%}
    to_hex(md5({{ text }}))
{%- endmacro %}
