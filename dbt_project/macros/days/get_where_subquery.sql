{#-
    What a data test reads of a table: dbt's own macro, with six placeholders in the test's `where`.

        __days_of_run__     the days that the run brought in
        __days_to_build__   these and the days that they change
        __ids_to_build__    review_ids near those of the days to build, on any day
        __customers_touched__  customers whose history the run changed (macros/customers)
        __active_days_touched__  days from the first on which such a customer may have other purchases or reviews than before
        __months_to_build__    ends of months of which the run made the segments

    Other days are as they were when they were tested. Without a range (dbt test) all of them are true, so that everything is tested.
-#}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where') -%}
    {%- if not where -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- if '__days_of_run__' in where -%}
        {%- set where = where | replace('__days_of_run__', is_day_of_run('insert_date')) -%}
    {%- elif '__customers_touched__' in where -%}
        {%- set is_touched = is_customer_listed_in(relation_of('int_customer_touched'), 'customer_id') -%}
        {%- set where = where | replace('__customers_touched__', is_touched) -%}
    {%- elif '__active_days_touched__' in where -%}
        {%- set is_touched = is_active_day_listed_in(relation_of('int_customer_touched'), 'active_date') -%}
        {%- set where = where | replace('__active_days_touched__', is_touched) -%}
    {%- elif '__months_to_build__' in where -%}
        {%- set months = relation_of('int_month_to_build') -%}
        {%- set are_some = days_of_run() is not none and has_rows_to_ask_for(months) -%}
        {%- set is_to_build = is_month_to_build(months, 'as_of_date') if are_some else "true" -%}
        {%- set where = where | replace('__months_to_build__', is_to_build) -%}
    {%- elif '__days_to_build__' in where or '__ids_to_build__' in where -%}
        {%- set is_to_build = is_day_listed_in(relation_of('int_day_to_build'), 'insert_date') -%}
        {%- set where = where | replace('__days_to_build__', is_to_build) -%}
        {%- if '__ids_to_build__' in where -%}
            {%- set where = where | replace('__ids_to_build__', "review_id " ~ near_ids_of(relation, 'review_id', is_to_build)) -%}
        {%- endif -%}
    {%- endif -%}
    {{ return("(select * from " ~ relation ~ " where " ~ where ~ ") as tested") }}
{%- endmacro %}


{#- Of a model of this project, without a dependency on it: the tested table is built from it, and a `unique` test may have no second
    one (dbt does not look for its references). None while dbt parses. -#}
{% macro relation_of(model) -%}
    {%- if execute -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.' ~ model] -%}
        {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
    {%- endif -%}
{%- endmacro %}
