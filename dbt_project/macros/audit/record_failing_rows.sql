{#-
    Keeps up to 20 of the rows that each data test of this run found, in the audit table failing_row (models/audit/sources.yml).
    Here and not by dbt's store_failures, which keeps whole rows, persons included, and makes a table of each test in each run. The
    warehouse is asked once more, and only for tests that found something. No value passes through this macro: the warehouse copies them.
-#}
{% macro record_failing_rows(results, failing_row) %}
    {%- set failed = results | selectattr('node.resource_type', 'equalto', 'test') | selectattr('failures') | list -%}
    {%- if execute and failed -%}
        {%- set columns = audit_columns('failing_row') -%}
        {%- do provide_audit_table(failing_row, columns) -%}
        {%- set marked = personal_columns() -%}
        {%- for result in failed -%}
            {%- set found = "(select * from (" ~ result.node.compiled_code ~ "\n) as every_row limit 20) as failing" -%}
            {%- set kept, left_out = [], [] -%}
            {%- for column in adapter.get_column_schema_from_query("select * from " ~ found) -%}
                {%- do (left_out if is_personal(column.name, result.node, marked) else kept).append(column) -%}
            {%- endfor -%}
            {%- set values = {
                'invocation_id': invocation_id,
                'run_started_at': run_started_at.strftime('%Y-%m-%d %H:%M:%S'),
                'unique_id': result.node.unique_id,
                'node_name': result.node.name,
                'left_out': left_out | map(attribute='name') | join(', ') or none,
            } -%}
            {%- set selected = [] -%}
            {%- for column in columns -%}
                {%- do selected.append(row_as_text(kept) if column.name == 'row_text' else audit_literal(column, values[column.name])) -%}
            {%- endfor -%}
            {%- call statement(auto_begin=true) -%}
                insert into {{ failing_row }} ({{ columns | map(attribute='name') | join(", ") }})
                select {{ selected | join(",\n    ") }}
                from {{ found }}
            {%- endcall -%}
        {%- endfor -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}


{#- Names, in lower case, of all columns that the YAML of any table marks (meta.personal_data). -#}
{% macro personal_columns() %}
    {%- set marked = [] -%}
    {%- for node in graph.nodes.values() | list + graph.sources.values() | list -%}
        {%- for column in node.columns.values() if column.config.meta.get('personal_data') -%}
            {%- do marked.append(column.name | lower) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(marked | unique | list) }}
{% endmacro %}


{#-
    Whether a column of a test's rows tells of a person: one that is marked, or what dbt's own tests call a marked column under test
    (`unique` of customer_id finds a `unique_field`).
-#}
{% macro is_personal(name, test, marked) %}
    {%- set renamed = ['unique_field', 'value_field', 'from_field', 'to_field'] if (test.column_name or '') | lower in marked else [] -%}
    {{ return(name | lower in marked + renamed) }}
{% endmacro %}


{#- An expression: `device: Tablet, review_count: 3`, each value cut to 200 characters. -#}
{% macro row_as_text(columns) %}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- set name = adapter.quote(column.name) -%}
        {#- Redshift casts no boolean to a text. -#}
        {%- set value = "case when " ~ name ~ " then 'true' when not " ~ name ~ " then 'false' end" if 'bool' in column.dtype | lower
            else "substring(cast(" ~ name ~ " as " ~ type_text() ~ "), 1, 200)" -%}
        {%- do parts.append("'" ~ column.name ~ ": ' || coalesce(" ~ value ~ ", 'NULL')") -%}
    {%- endfor -%}
    {{ return(parts | join(" || ', ' || ") or "''") }}
{% endmacro %}
