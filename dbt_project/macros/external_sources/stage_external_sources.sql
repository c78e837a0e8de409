{#-
    Creates or updates the external table of every source table that has an `external:` property:

        dbt run-operation stage_external_sources
        dbt run-operation stage_external_sources --args '{select: user_purchase review_logs, dry_run: true}'

    select: names of source tables, separated by blanks; all of them when it is left out.
    dry_run: print the statements, run none.
    The vars from_date and to_date are the days whose partitions are added where a warehouse has to be told (Redshift), those
    of the runs that delivery names.
    `dbt run` and `dbt build` do the same before their first model: to build some days is one command with two vars.

    A table is recreated only if its YAML differs from the warehouse. Macros that make statements are pure: they
    get what the warehouse has (external_state) and return a list of texts; this is the one place that runs them.
-#}
{% macro stage_external_sources(select=none, dry_run=false) %}
    {%- for table in external_source_tables(select) -%}
        {%- set relation = external_relation(table) -%}
        {%- set spec = external_spec(table) -%}
        {%- set state = external_state(relation, spec) -%}
        {%- set statements = external_statements(relation, spec, state) -%}
        {%- for statement in statements -%}
            {%- if dry_run -%}
                {{ print(statement ~ ";\n") }}
            {%- else -%}
                {%- do run_query(statement) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if state.unknown_days -%}
            {{ print("-- " ~ table.name ~ ": no partitions for " ~ state.unknown_days | first ~ " to " ~ state.unknown_days | last
                ~ ", since delivery, which names the runs, has none for these days yet\n") }}
        {%- endif -%}
        {%- if not dry_run -%}
            {{ print("external table " ~ table.name ~ ": " ~ spec.location
                ~ (" (no files yet)" if state.has_no_files else "") ~ ("" if statements else " (unchanged)")
                ~ (" (no days given: no new day)" if state.partitions is defined and not days_of_run_list() else "")) }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}


{#- Hook. Other commands either build nothing or read only what a build has made. -#}
{% macro stage_external_sources_before_models() %}
    {%- if execute and flags.WHICH in ['run', 'build', 'retry'] -%}
        {%- do stage_external_sources() -%}
    {%- endif -%}
{% endmacro %}


{#- The source nodes to stage: delivery, which others follow, and then in the order of their names. -#}
{% macro external_source_tables(select) %}
    {%- set external = graph.sources.values() | selectattr('external') | sort(attribute='name') | list -%}
    {%- set known = external | map(attribute='name') | list -%}
    {%- set wanted = (select | string).split() if select else known -%}
    {%- set unknown = wanted | reject('in', known) | list -%}
    {%- if unknown -%}
        {{ exceptions.raise_compiler_error(
            "No external source table is called " ~ unknown | join(", ") ~ ". There are: " ~ known | join(", ") ~ "."
        ) }}
    {%- endif -%}
    {%- set selected = external | selectattr('name', 'in', wanted) | list -%}
    {{ return(
        selected | selectattr('name', 'equalto', 'delivery') | list + selected | rejectattr('name', 'equalto', 'delivery') | list
    ) }}
{% endmacro %}


{#- The relation that source() gives for a source table. -#}
{% macro external_relation(table) %}
    {#- With the quotes of the adapter: a BigQuery project with a dash in its name is no bare name. -#}
    {{ return(api.Relation.create(database=table.database, schema=table.schema, identifier=table.identifier)) }}
{% endmacro %}


{#- What the warehouse has of an external table; each warehouse tells what its statements depend on. -#}
{% macro external_state(relation, spec) %}
    {{ return(adapter.dispatch('external_state', 'movie_analytics')(relation, spec)) }}
{% endmacro %}


{#- The statements that create or update an external table, as a list of texts; none when nothing has changed. -#}
{% macro external_statements(relation, spec, state) %}
    {{ return(adapter.dispatch('external_statements', 'movie_analytics')(relation, spec, state)) }}
{% endmacro %}
