{#-
    Redshift: Spectrum tables in an external schema, which is a database of the Glue catalogue (GLUE_DATABASE), read with
    the role REDSHIFT_SPECTRUM_ROLE (an ARN; without it the cluster's default role). Spectrum sees a day only once its
    partition has been added.
-#}

{% macro redshift__external_types() %}
    {{ return({
        'string': 'varchar(65535)', 'int': 'int', 'bigint': 'bigint', 'double': 'double precision', 'decimal': 'decimal',
        'boolean': 'boolean', 'date': 'date', 'timestamp': 'timestamp',
    }) }}
{% endmacro %}


{#- {location, columns: ["name type", …], days: ["2021-01-31", …]}; location is none when there is no such table. -#}
{% macro redshift__external_state(relation, spec) %}
    {%- set is_the_table -%}
        schemaname = '{{ relation.schema }}' and tablename = '{{ relation.identifier }}'
    {%- endset -%}
    {%- set tables = run_query("select location from svv_external_tables where " ~ is_the_table) -%}
    {%- set columns = run_query(
        "select columnname || ' ' || external_type from svv_external_columns where " ~ is_the_table ~ " order by columnnum"
    ) -%}
    {%- set partitions = run_query("select values from svv_external_partitions where " ~ is_the_table) -%}
    {%- set days = [] -%}
    {%- for partition in partitions.columns[0].values() -%}
        {%- do days.append(fromjson(partition)[0]) -%}
    {%- endfor -%}
    {{ return({
        'location': tables.rows[0][0] if tables.rows else none,
        'columns': columns.columns[0].values() | list,
        'days': days,
    }) }}
{% endmacro %}


{% macro redshift__external_statements(relation, spec, state) %}
    {%- set statements = [] -%}
    {%- set known_days = state.days -%}
    {%- if state.location is none -%}
        {%- do statements.append(create_external_schema(relation.schema)) -%}
    {%- endif -%}

    {%- set columns = [] -%}
    {%- for column in spec.columns + spec.partitions -%}
        {%- do columns.append(column.name ~ " " ~ column.type.replace('double precision', 'double')) -%}
    {%- endfor -%}
    {%- set is_as_declared = state.location == spec.location and state.columns == columns -%}
    {%- if not is_as_declared -%}
        {%- if state.location is not none -%}
            {%- do statements.append("drop table " ~ relation) -%}
            {#- Its partitions go with it. -#}
            {%- set known_days = [] -%}
        {%- endif -%}
        {%- do statements.append(create_external_table(relation, spec)) -%}
    {%- endif -%}

    {%- set days = (state.days + days_of_run_list()) | unique | reject('in', known_days) | sort -%}
    {%- do statements.extend(add_partitions(relation, spec, days)) -%}
    {{ return(statements) }}
{% endmacro %}


{% macro create_external_schema(schema) %}
    {%- set role = env_var('REDSHIFT_SPECTRUM_ROLE', '') -%}
    {%- set statement -%}
create external schema if not exists {{ schema }}
from data catalog database '{{ env_var('GLUE_DATABASE', '') or schema }}'
iam_role {{ "'" ~ role ~ "'" if role else "default" }}
create external database if not exists
    {%- endset -%}
    {{ return(statement) }}
{% endmacro %}


{% macro create_external_table(relation, spec) %}
    {%- set columns, partitions = [], [] -%}
    {%- for column in spec.columns -%}{%- do columns.append("    " ~ column.name ~ " " ~ column.type) -%}{%- endfor -%}
    {%- for column in spec.partitions -%}{%- do partitions.append(column.name ~ " " ~ column.type) -%}{%- endfor -%}
    {{ return(
        "create external table " ~ relation ~ " (\n" ~ columns | join(",\n") ~ "\n)\n"
        ~ "partitioned by (" ~ partitions | join(", ") ~ ")\nstored as parquet\nlocation '" ~ spec.location ~ "'"
    ) }}
{% endmacro %}


{#- At most 100 partitions fit into a statement. -#}
{% macro add_partitions(relation, spec, days) %}
    {%- set partition = spec.partitions[0].name -%}
    {%- set statements = [] -%}
    {%- for batch in days | batch(100) -%}
        {%- set clauses = [] -%}
        {%- for day in batch -%}
            {%- do clauses.append(
                "partition (" ~ partition ~ "='" ~ day ~ "') location '" ~ spec.location ~ "/" ~ partition ~ "=" ~ day ~ "/'"
            ) -%}
        {%- endfor -%}
        {%- do statements.append("alter table " ~ relation ~ " add if not exists\n" ~ clauses | join("\n")) -%}
    {%- endfor -%}
    {{ return(statements) }}
{% endmacro %}
