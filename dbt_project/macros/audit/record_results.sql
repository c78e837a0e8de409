{#-
    Appends what came of each node of this run to the audit table (models/audit/sources.yml), at the end of the run. The
    table is created if it is not there, and gets the columns that its YAML has gained since.
-#}
{% macro record_results(results, run_result) %}
    {#- Exposures are nodes without a result; how fresh a source is does not make a build. -#}
    {%- set results = results | rejectattr('status', 'equalto', 'no-op') | rejectattr('node.resource_type', 'equalto', 'source') | list -%}
    {%- if execute and results and not flags.EMPTY -%}
        {%- set columns = audit_columns('run_result') -%}
        {%- do provide_audit_table(run_result, columns) -%}
        {%- set bytes_read = bytes_read_by_node(results) -%}
        {%- set names = columns | map(attribute='name') | join(", ") -%}
        {#- A statement has a largest size: a megabyte in BigQuery. -#}
        {%- for batch in results | batch(500) -%}
            {%- set rows = [] -%}
            {%- for result in batch -%}
                {%- do rows.append(audit_row(columns, audit_values(result, bytes_read))) -%}
            {%- endfor -%}
            {#- In a transaction of its own or in the one that looking for the table has opened: what is left open is
                rolled back. -#}
            {%- call statement(auto_begin=true) -%}
                insert into {{ run_result }} ({{ names }})
                values
                {{ rows | join(",\n") }}
            {%- endcall -%}
        {%- endfor -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}


{#- [{name, type}, …] of an audit table, by its YAML. -#}
{% macro audit_columns(name) %}
    {%- set tables = graph.sources.values() | selectattr('source_name', 'equalto', 'audit') -%}
    {%- set table = tables | selectattr('name', 'equalto', name) | first -%}
    {{ return(typed_columns("source audit." ~ name, table.columns.values())) }}
{% endmacro %}


{#- Creates the table, or adds the columns that it lacks. -#}
{% macro provide_audit_table(relation, columns) %}
    {%- set existing = load_relation(relation) -%}
    {%- set declared = [] -%}
    {%- for column in columns -%}{%- do declared.append(column.name ~ " " ~ column.type) -%}{%- endfor -%}
    {%- if existing is none -%}
        {%- do adapter.create_schema(relation) -%}
        {%- do run_query("create table if not exists " ~ relation ~ " (\n    " ~ declared | join(",\n    ") ~ "\n)") -%}
    {%- else -%}
        {%- set present = adapter.get_columns_in_relation(existing) | map(attribute='name') | map('lower') | list -%}
        {%- for column in columns if column.name not in present -%}
            {%- do run_query("alter table " ~ relation ~ " add column " ~ column.name ~ " " ~ column.type) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}


{#- {column: value} of one result; a value is a text, a number or none. `bytes_read` is {unique_id: bytes}. -#}
{% macro audit_values(result, bytes_read) %}
    {%- set node, days, response = result.node, days_of_run() or {}, result.adapter_response or {} -%}
    {%- set is_test = node.resource_type in ['test', 'unit_test'] -%}
    {%- set has_run = result.status not in ['error', 'skipped'] -%}
    {%- set rows_affected = response.get('rows_affected') -%}
    {{ return({
        'invocation_id': invocation_id,
        'run_started_at': run_started_at.strftime('%Y-%m-%d %H:%M:%S'),
        'target_name': target.name,
        'from_date': days.from_date,
        'to_date': days.to_date,
        'unique_id': node.unique_id,
        'resource_type': node.resource_type | string,
        'node_name': node.name,
        'model_name': audited_model(node),
        'status': result.status | string,
        'severity': node.config.severity | lower if node.resource_type == 'test' else none,
        'failures': result.failures if is_test and has_run else none,
        'seconds': '%.3f' % result.execution_time,
        'rows_affected': rows_affected if not is_test and (rows_affected or -1) >= 0 else none,
        'bytes_processed': bytes_read.get(node.unique_id),
    }) }}
{% endmacro %}


{#- The name of the one model or seed that a node is or tests; none when there is no such one. -#}
{% macro audited_model(node) %}
    {%- if node.resource_type not in ['test', 'unit_test'] -%}
        {{ return(node.name) }}
    {%- endif -%}
    {%- set tested = [node.attached_node] if node.attached_node else node.depends_on.nodes -%}
    {%- set name = tested[0].split('.')[2] if tested | length == 1 and not tested[0].startswith('source.') else none -%}
    {{ return(name) }}
{% endmacro %}


{% macro audit_row(columns, values) %}
    {%- set literals = [] -%}
    {%- for column in columns -%}
        {%- do literals.append(audit_literal(column, values[column.name])) -%}
    {%- endfor -%}
    {{ return("    (" ~ literals | join(", ") ~ ")") }}
{% endmacro %}


{% macro audit_literal(column, value) %}
    {{ return(
        "null" if value is none or value is undefined
        else "cast(" ~ quoted(value) ~ " as " ~ column.type ~ ")"
    ) }}
{% endmacro %}
