{#-
    Redshift: Spectrum tables in an external schema, which is a database of the Glue catalogue (GLUE_DATABASE), read with
    the role REDSHIFT_SPECTRUM_ROLE (an ARN; without it the cluster's default role). Spectrum sees a run of a day only once its
    partition has been added. The runs are those that the external table delivery names, so it is staged first.
-#}

{% macro redshift__external_types() %}
    {{ return({
        'string': 'varchar(65535)', 'int': 'int', 'bigint': 'bigint', 'double': 'double precision', 'decimal': 'decimal',
        'boolean': 'boolean', 'date': 'date', 'timestamp': 'timestamp',
    }) }}
{% endmacro %}


{#-
    {location, columns: ["name type", …], partitions: ["insert_date=2021-01-31/run=…", …]} of the table as it is; location is none
    when there is no such table. Of a table whose days have runs also what delivery says of them (runs_of_delivery).
-#}
{% macro redshift__external_state(relation, spec) %}
    {%- set state = spectrum_table(relation, spec) -%}
    {%- if spec.partitions | length > 1 -%}
        {%- do state.update(runs_of_delivery(relation, spec, is_new=not is_as_declared(spec, state))) -%}
    {%- else -%}
        {%- do state.update({'days_built': days_built(spec)}) -%}
    {%- endif -%}
    {{ return(state) }}
{% endmacro %}


{#-
    ["insert_date=2021-01-31", …] of all days that a build has seen. A table is dropped, made and filled in statements of their own, since external
    tables are never changed in a transaction: of a run that dies in between this is what knows the older days.
-#}
{% macro days_built(spec) %}
    {%- set folders = [] -%}
    {%- for stg_delivery in stg_delivery_if_built() -%}
        {%- for row in run_query("select distinct cast(insert_date as varchar(10)) from " ~ stg_delivery).rows -%}
            {%- do folders.append(partition_folder(spec, row.values())) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(folders) }}
{% endmacro %}


{% macro spectrum_table(relation, spec) %}
    {%- set is_the_table -%}
        schemaname = '{{ relation.schema }}' and tablename = '{{ relation.identifier }}'
    {%- endset -%}
    {%- set tables = run_query("select location from svv_external_tables where " ~ is_the_table) -%}
    {#- The documentation does not say whether columnnum counts partition columns on: part_key is 0 for the others. -#}
    {%- set columns = run_query(
        "select columnname || ' ' || external_type from svv_external_columns where " ~ is_the_table
        ~ " order by part_key, columnnum"
    ) -%}
    {%- set found = run_query("select values from svv_external_partitions where " ~ is_the_table) -%}
    {%- set partitions = [] -%}
    {%- for values in found.columns[0].values() -%}
        {%- do partitions.append(partition_folder(spec, fromjson(values))) -%}
    {%- endfor -%}
    {{ return({
        'location': tables.rows[0][0] if tables.rows else none,
        'columns': columns.columns[0].values() | list,
        'partitions': partitions,
    }) }}
{% endmacro %}


{#-
    {runs: ["insert_date=2021-01-31/run=…", …], days: ["insert_date=2021-01-31", …], unknown_days: ["2021-02-01", …]}: the
    partitions that the table should have on these days, which are the run's, or all when there is no range or the table is new
    and has none; and the days of the run of which the external table delivery cannot tell, because it has no partition of them.
    The runs are those that delivery names, and those that stg_delivery still names: it may be built later, or be in use.
-#}
{% macro runs_of_delivery(relation, spec, is_new) %}
    {%- set delivery = external_source_tables('delivery') | first -%}
    {%- set delivery_relation, delivery_spec = external_relation(delivery), external_spec(delivery) -%}
    {%- set state = spectrum_table(delivery_relation, delivery_spec) -%}
    {%- set readable = state.partitions if is_as_declared(delivery_spec, state) else [] -%}
    {%- set of_run, unknown_days, runs = [], [], [] -%}
    {%- for day in days_of_run_list() -%}
        {%- set folder = partition_folder(delivery_spec, [day]) -%}
        {%- if folder in readable -%}{%- do of_run.append(folder) -%}{%- else -%}{%- do unknown_days.append(day) -%}{%- endif -%}
    {%- endfor -%}
    {%- set days = readable if is_new or days_of_run() is none else of_run -%}
    {%- for names_runs in [delivery_relation] + stg_delivery_if_built() if days -%}
        {%- set named -%}
            select distinct cast(insert_date as varchar(10)), run from {{ names_runs }}
            where
                run is not null
                and {{ 'true' if is_new else is_day_of_run('insert_date') }}
                {%- if relation.identifier != 'rejection' %} and table_name = '{{ relation.identifier }}'{% endif %}
        {%- endset -%}
        {%- for row in run_query(named).rows -%}
            {%- do runs.append(partition_folder(spec, row.values())) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return({'runs': runs | unique | list, 'days': days, 'unknown_days': unknown_days}) }}
{% endmacro %}


{#- [its relation], or []. The adapter's own way to look would open a transaction, in which external tables cannot be changed. -#}
{% macro stg_delivery_if_built() %}
    {%- set model = graph.nodes['model.' ~ project_name ~ '.stg_delivery'] -%}
    {%- set built -%}
        select table_name from information_schema.tables
        where table_schema = '{{ model.schema }}' and table_name = '{{ model.alias }}' and table_type = 'BASE TABLE'
    {%- endset -%}
    {%- set relation = api.Relation.create(database=model.database, schema=model.schema, identifier=model.alias) -%}
    {{ return([relation] if run_query(built).rows else []) }}
{% endmacro %}


{% macro redshift__external_statements(relation, spec, state) %}
    {%- set statements = [] -%}
    {%- set present = state.partitions -%}
    {%- if state.location is none -%}
        {%- do statements.append(create_external_schema(relation.schema)) -%}
    {%- endif -%}
    {%- if not is_as_declared(spec, state) -%}
        {%- if state.location is not none -%}
            {%- do statements.append("drop table " ~ relation) -%}
            {#- Its partitions go with it. -#}
            {%- set present = [] -%}
        {%- endif -%}
        {%- do statements.append(create_external_table(relation, spec)) -%}
    {%- endif -%}

    {%- if state.runs is defined -%}
        {%- do statements.extend(add_partitions(relation, spec, state.runs | reject('in', present) | sort)) -%}
        {#- A run that nothing names any more: its files are removed some day. -#}
        {%- for folder in present | reject('in', state.runs) | sort if folder.split("/")[0] in state.days -%}
            {%- do statements.append("alter table " ~ relation ~ " drop " ~ partition_clause(folder)) -%}
        {%- endfor -%}
    {%- else -%}
        {%- set days = [] -%}
        {%- for day in days_of_run_list() -%}{%- do days.append(partition_folder(spec, [day])) -%}{%- endfor -%}
        {%- set folders = (state.partitions + state.days_built + days) | unique | reject('in', present) | sort -%}
        {%- do statements.extend(add_partitions(relation, spec, folders)) -%}
    {%- endif -%}
    {{ return(statements) }}
{% endmacro %}


{% macro is_as_declared(spec, state) %}
    {%- set declared = [] -%}
    {%- for column in spec.columns + spec.partitions -%}
        {%- do declared.append(column.name ~ " " ~ column.type) -%}
    {%- endfor -%}
    {{ return(
        state.location == spec.location and state.columns | map('lower') | map('replace', ' ', '') | list
        == declared | map('replace', 'double precision', 'double') | map('replace', ' ', '') | list
    ) }}
{% endmacro %}


{% macro create_external_schema(schema) %}
    {%- set role = plain_text('REDSHIFT_SPECTRUM_ROLE', env_var('REDSHIFT_SPECTRUM_ROLE', '')) -%}
    {%- set database = plain_text('GLUE_DATABASE', env_var('GLUE_DATABASE', '') or schema) -%}
    {%- set statement -%}
create external schema if not exists {{ schema }}
from data catalog database '{{ database }}'
iam_role {{ "'" ~ role ~ "'" if role else "default" }}
create external database if not exists
    {%- endset -%}
    {{ return(statement) }}
{% endmacro %}


{#- Without the property a text that is longer than declared would become NULL. -#}
{% macro create_external_table(relation, spec) %}
    {%- set columns, partitions = [], [] -%}
    {%- for column in spec.columns -%}{%- do columns.append("    " ~ column.name ~ " " ~ column.type) -%}{%- endfor -%}
    {%- for column in spec.partitions -%}{%- do partitions.append(column.name ~ " " ~ column.type) -%}{%- endfor -%}
    {{ return(
        "create external table " ~ relation ~ " (\n" ~ columns | join(",\n") ~ "\n)\n"
        ~ "partitioned by (" ~ partitions | join(", ") ~ ")\nstored as parquet\nlocation '" ~ spec.location ~ "'\n"
        ~ "table properties ('surplus_char_handling' = 'FAIL')"
    ) }}
{% endmacro %}


{#- At most 100 partitions fit into a statement. -#}
{% macro add_partitions(relation, spec, folders) %}
    {%- set statements = [] -%}
    {%- for batch in folders | batch(100) -%}
        {%- set clauses = [] -%}
        {%- for folder in batch -%}
            {%- do clauses.append(partition_clause(folder) ~ " location '" ~ spec.location ~ "/" ~ folder ~ "/'") -%}
        {%- endfor -%}
        {%- do statements.append("alter table " ~ relation ~ " add if not exists\n" ~ clauses | join("\n")) -%}
    {%- endfor -%}
    {{ return(statements) }}
{% endmacro %}


{#- insert_date=2021-01-31/run=…, by which a partition is known here, and where its files are below the table's location. -#}
{% macro partition_folder(spec, values) %}
    {%- set folders = [] -%}
    {%- for column in spec.partitions -%}{%- do folders.append(column.name ~ "=" ~ values[loop.index0]) -%}{%- endfor -%}
    {{ return(folders | join("/")) }}
{% endmacro %}


{% macro partition_clause(folder) %}
    {%- set keys = [] -%}
    {%- for key in folder.split("/") -%}{%- do keys.append(key.replace("=", "='", 1) ~ "'") -%}{%- endfor -%}
    {{ return("partition (" ~ keys | join(", ") ~ ")") }}
{% endmacro %}
