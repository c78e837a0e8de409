{#-
    Which runs of the staging tables each day of the marts was built from: recorded at the end of a build, and read by Airflow, which
    finds by it what is staged and not built. A scheduler gives two environment variables, as JSON, and only at run time:

        DBT_CHECKED_RUNS    {table: run}: what was checked; a build of anything else stops (tests/generic/run_is_checked.sql)
        DBT_ACCEPTED        [{table, by, because}]: whose check had refused the day, and who accepted it all the same
-#}

{#- Hook. Nothing is recorded unless all models were built and no test failed: the marts are then a mixture, or not trusted. -#}
{% macro record_days_built(results, day_built) %}
    {%- set failed = results | selectattr('status', 'in', ['error', 'fail', 'skipped', 'partial success']) | list -%}
    {%- if execute and not flags.EMPTY and not failed and every_model_was_built(results) -%}
        {%- set columns = audit_columns('day_built') -%}
        {%- do provide_audit_table(day_built, columns) -%}
        {%- set types = {} -%}
        {%- for column in columns -%}{%- do types.update({column.name: column.type}) -%}{%- endfor -%}
        {%- set accepted = fromjson(env_var('DBT_ACCEPTED', '') or '[]') if days_of_run() else [] -%}
        {%- call statement(auto_begin=true) -%}
            insert into {{ day_built }} ({{ columns | map(attribute='name') | join(", ") }})
            select
                cast('{{ invocation_id }}' as {{ types.invocation_id }}),
                cast('{{ run_started_at.strftime('%Y-%m-%d %H:%M:%S') }}' as {{ types.run_started_at }}),
                insert_date,
                cast(table_name as {{ types.table_name }}),
                cast(run as {{ types.run }}),
                cast({{ said_of_table(accepted, 'by') }} as {{ types.accepted_by }}),
                cast({{ said_of_table(accepted, 'because') }} as {{ types.accepted_because }})
            from {{ relation_of('stg_delivery') }}
            where {{ is_day_of_run('insert_date') }}
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}


{% macro said_of_table(accepted, field) -%}
    {%- if accepted -%}
        case table_name
            {%- for acceptance in accepted %}
            when {{ quoted(acceptance.table) }} then {{ quoted(acceptance[field]) }}
            {%- endfor %}
        end
    {%- else -%}
        null
    {%- endif -%}
{%- endmacro %}


{#- {table: run} as the scheduler checked them; empty without one. Never while dbt parses: what it parsed would then depend on it. -#}
{% macro checked_runs() -%}
    {{ return(fromjson(env_var('DBT_CHECKED_RUNS', '') or '{}') if execute else {}) }}
{%- endmacro %}


{#-
    Prints one line of JSON: {day: {table: run}} of what each day was last built from; of one day with `day`.

        dbt --quiet run-operation built_days
-#}
{% macro built_days(day=none) %}
    {%- set day_built = source('audit', 'day_built') -%}
    {%- set days = {} -%}
    {%- if load_relation(day_built) is not none -%}
        {%- set query -%}
            select insert_date, table_name, run
            from (
                select
                    insert_date, table_name, run,
                    row_number() over (
                        partition by insert_date, table_name order by run_started_at desc, invocation_id desc
                    ) as recency
                from {{ day_built }}
                {% if day %}where insert_date = {{ date_literal(day) }}{% endif %}
            ) as builds
            where recency = 1
            order by insert_date, table_name
        {%- endset -%}
        {%- for row in run_query(query).rows -%}
            {%- set runs = days.setdefault(row['insert_date'] | string, {}) -%}
            {%- do runs.update({row['table_name']: row['run']}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ print(tojson(days)) }}
{% endmacro %}
