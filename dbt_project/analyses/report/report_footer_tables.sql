{#-
    Rows and last day of each table that a page of the report may rest on, for the lines below its charts. Without ref(), so
    that a table that is missing is missing here, too, and no page depends on what it does not show.
-#}
{%- set last_days = {
    'insert_date': 'max(insert_date)', 'as_of_date': 'max(as_of_date)', 'run_started_at': 'cast(max(run_started_at) as date)'
} -%}
{%- set tables = [] -%}
{%- if execute -%}
    {%- set marts = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('config.schema', 'equalto', 'marts') -%}
    {%- set sources = graph.sources.values() | selectattr('name', 'in', ['rejection', 'run_result']) -%}
    {%- for node in (marts | list) + (sources | list) -%}
        {%- set relation = adapter.get_relation(node.database, node.schema, node.alias or node.identifier) -%}
        {#- The sources' partition is no column of theirs. -#}
        {%- set names = node.columns.keys() | list + (['insert_date'] if node.source_name == 'staging' else []) -%}
        {%- set days = last_days.keys() | select('in', names) | list -%}
        {%- if relation is not none -%}
            {%- do tables.append((node.unique_id, relation, last_days[days[0]] if days else 'cast(null as date)')) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endif -%}
{%- for unique_id, relation, last_day in tables %}
select
    {{ text_literal(unique_id) }} as unique_id,
    count(*) as row_count,
    {{ last_day }} as last_day
from {{ relation }}
{{ 'union all' if not loop.last }}
{%- else %}
select
    {{ text_literal('none') }} as unique_id,
    cast(0 as {{ dbt.type_bigint() }}) as row_count,
    cast(null as date) as last_day
{%- endfor %}
