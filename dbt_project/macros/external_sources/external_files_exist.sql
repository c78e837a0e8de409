{#- Whether the location holds a file yet. Only DuckDB has to know: it cannot read a folder without files. -#}
{% macro external_files_exist(spec) %}
    {{ return(adapter.dispatch('external_files_exist', 'movie_analytics')(spec)) }}
{% endmacro %}

{% macro default__external_files_exist(spec) %}
    {{ return(true) }}
{% endmacro %}

{% macro duckdb__external_files_exist(spec) %}
    {%- set files = run_query("select count(*) from glob('" ~ spec.location ~ "/*/*.parquet')") -%}
    {{ return(files.rows[0][0] > 0) }}
{% endmacro %}
