{#- What report_footer_tables counts: (unique id, relation, SQL of its last day) of each mart, seed and audit table that the
    warehouse has. Without ref(): a table that is missing is missing here as well. -#}
{%- macro tables_to_report() -%}
    {%- set last_days = {
        'insert_date': 'max(insert_date)',
        'as_of_date': 'max(as_of_date)',
        'run_started_at': 'cast(max(run_started_at) as date)'
    } -%}
    {%- set nodes, tables = [], [] -%}
    {#- While dbt parses there is no graph. -#}
    {%- if execute -%}
        {%- do nodes.extend(graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'seed'])
            | selectattr('config.schema', 'in', ['marts', 'reference'])) -%}
        {%- do nodes.extend(graph.sources.values() | selectattr('name', 'in', ['run_result', 'day_built'])) -%}
    {%- endif -%}
    {%- for node in nodes -%}
        {%- set relation = adapter.get_relation(node.database, node.schema, node.alias or node.identifier) -%}
        {%- set days = last_days.keys() | select('in', node.columns.keys() | list) | list -%}
        {%- if relation is not none -%}
            {%- do tables.append((node.unique_id, relation, last_days[days[0]] if days else 'cast(null as date)')) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(tables) }}
{%- endmacro -%}
