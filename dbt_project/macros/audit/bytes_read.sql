{#-
    What each node of a run has read of files and tables: for the audit table (record_results) and the cap of a day.

    BigQuery reports a statement's bytes as its result (adapter_response). DuckDB logs them for each statement, if the profile
    enables profiling (profiles_template.yml); what it still has in memory is not read again, and DuckDB 2.0 leaves out
    blocks that it reads ahead: the sum is less than what the process reads (docs/benchmark_warehouse.md). dbt-redshift does not tell the number of
    its query, by which Redshift's system views could be asked: no bytes there.
-#}

{#- Hook, before the first statement that counts. -#}
{% macro watch_bytes_read() %}
    {%- if execute -%}
        {%- do adapter.dispatch('watch_bytes_read', 'movie_analytics')() -%}
    {%- endif -%}
{% endmacro %}

{% macro default__watch_bytes_read() %}{% endmacro %}

{% macro duckdb__watch_bytes_read() %}
    {%- do run_query("call enable_logging('Metrics')") -%}
    {#- A process may run several commands of dbt. -#}
    {%- do run_query("call truncate_duckdb_logs()") -%}
{% endmacro %}


{#- {unique_id: bytes} of the nodes of this run of which the warehouse tells. -#}
{% macro bytes_read_by_node(results) %}
    {{ return(adapter.dispatch('bytes_read_by_node', 'movie_analytics')(results)) }}
{% endmacro %}

{% macro default__bytes_read_by_node(results) %}
    {%- set bytes_read = {} -%}
    {%- for result in results if (result.adapter_response or {}).get('bytes_processed') is not none -%}
        {%- do bytes_read.update({result.node.unique_id: result.adapter_response['bytes_processed'] | int}) -%}
    {%- endfor -%}
    {{ return(bytes_read) }}
{% endmacro %}

{#- dbt names the node in a comment at the end of what it sends; of several statements in one, the last has it. -#}
{% macro duckdb__bytes_read_by_node(results) %}
    {%- set query -%}
        with

        statements as (

            select
                connection_id,
                context_id,
                max(case when metric = 'query.sql' then value end) as sql_text,
                max(case when metric = 'io.total_bytes_read' then cast(value as bigint) end) as bytes_read
            from duckdb_logs_parsed('Metrics')
            where metric in ('query.sql', 'io.total_bytes_read')
            group by connection_id, context_id

        ),

        named as (

            select
                bytes_read,
                first_value(nullif(regexp_extract(sql_text, '"node_id": "([^"]+)"', 1), '') ignore nulls) over (
                    partition by connection_id
                    order by context_id
                    rows between current row and unbounded following
                ) as unique_id
            from statements

        )

        select unique_id, sum(bytes_read) as bytes_read
        from named
        where unique_id is not null
        group by unique_id
    {%- endset -%}
    {%- set bytes_read = {} -%}
    {%- for row in run_query(query).rows -%}
        {%- do bytes_read.update({row['unique_id']: row['bytes_read'] | int}) -%}
    {%- endfor -%}
    {{ return(bytes_read) }}
{% endmacro %}


{#-
    Hook. The cap of a day: the vars bytes_per_day_warn and bytes_per_day_fail, in bytes that a run may read for each of its days. What the
    run has read is paid for, but the next day is not built unnoticed. A run without a range has no cap.
-#}
{% macro check_bytes_per_day(results) %}
    {%- set caps = {'warn': var('bytes_per_day_warn', none), 'fail': var('bytes_per_day_fail', none)} -%}
    {%- if execute and days_of_run() and (caps.warn or caps.fail) -%}
        {%- set bytes_read = bytes_read_by_node(results) -%}
        {%- set per_day = (bytes_read.values() | sum / days_of_run_list() | length) | int -%}
        {%- set most = [] -%}
        {%- for unique_id, bytes in (bytes_read | dictsort(by='value', reverse=true))[:3] -%}
            {%- do most.append(unique_id.split('.')[2] ~ " " ~ bytes) -%}
        {%- endfor -%}
        {%- set message -%}
            This run has read {{ per_day }} bytes for each of its days, most of them for {{ most | join(", ") }}
        {%- endset -%}
        {%- if caps.fail and per_day > caps.fail | int -%}
            {{ exceptions.raise_compiler_error(message ~ ". bytes_per_day_fail allows " ~ caps.fail
                ~ ". The tables are built. Find out why before the next day, or raise the var.") }}
        {%- elif caps.warn and per_day > caps.warn | int -%}
            {%- do exceptions.warn(message ~ ". bytes_per_day_warn is " ~ caps.warn ~ ".") -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
