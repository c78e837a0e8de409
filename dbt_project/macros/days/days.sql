{#-
    Which days a run builds. `from_date` and `to_date` (vars, inclusive) are the days that the run brought in; without
    them a run builds everything that is staged. Schedulers give them as the environment variables DBT_FROM_DATE and DBT_TO_DATE: dbt parses
    the whole project again when vars differ from the last run's.

    Two predicates, because a day's data can change other days: a log fills in a review of another day, and a review
    that is delivered twice belongs to the earliest day that has it (int_day_to_build has the whole rule).

    Days and ids are literals, so that every warehouse reads only the partitions, blocks and files that hold them; with a
    subquery in their place BigQuery reads, and bills, the whole table.
-#}

{#- True for the days that this run brought in. -#}
{% macro is_day_of_run(column) -%}
    {%- if days_of_run() is none -%}
        true
    {%- else -%}
        {{ column }} between {{ date_literal(days_of_run().from_date) }} and {{ date_literal(days_of_run().to_date) }}
    {%- endif -%}
{%- endmacro %}


{#- True for every day that this run has to build: its own and those that they change. Each call asks the warehouse. -#}
{% macro is_day_to_build(column) -%}
    {#- Outside the condition: dbt must see the dependency whatever the vars are when it parses. -#}
    {{ is_day_listed_in(ref('int_day_to_build'), column) }}
{%- endmacro %}


{% macro is_day_listed_in(int_day_to_build, column) -%}
    {%- if days_of_run() is none or not execute -%}
        true
    {%- elif has_rows_to_ask_for(int_day_to_build) -%}
        {%- set days = run_query("select insert_date from " ~ int_day_to_build ~ " order by insert_date") -%}
        {{ is_one_of_days(column, days.columns[0].values()) }}
    {%- else -%}
        {{ column }} in (select days.insert_date from {{ int_day_to_build }} as days)
    {%- endif -%}
{%- endmacro %}


{#- True for these days (dates, in order). A thousand days in a row are as short as one. -#}
{% macro is_one_of_days(column, days) -%}
    {%- set spans = [] -%}
    {%- for day in days -%}
        {%- if spans and day == spans[-1].last + modules.datetime.timedelta(days=1) -%}
            {%- do spans[-1].update({'last': day}) -%}
        {%- else -%}
            {%- do spans.append({'first': day, 'last': day}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set between = [] -%}
    {%- for span in spans -%}
        {%- do between.append(
            column ~ " between " ~ date_literal(span.first | string) ~ " and " ~ date_literal(span.last | string)
        ) -%}
    {%- endfor -%}
    {%- if between | length > 1 -%}
        {#- The first to the last day as well: not every engine prunes by alternatives. -#}
        ({{ column }} between {{ date_literal(spans[0].first | string) }} and {{ date_literal(spans[-1].last | string) }}
        and ({{ between | join(" or ") }}))
    {%- else -%}
        {{ between[0] or 'false' }}
    {%- endif -%}
{%- endmacro %}


{#-
    The right side of a predicate on an id (`review_id {{ near_ids }}`) that holds for every id which a table has on some
    days (SQL on insert_date), and for those that lie between them. It goes with a join by id, so that the records of these ids
    are found on other days without reading all of history. A wide range is slow, never wrong.
-#}
{% macro near_ids_of(relation, id_column, days) -%}
    {%- if days_of_run() is none or not has_rows_to_ask_for(relation) -%}
        is not null
    {%- else -%}
        {%- set range = run_query(
            "select min(" ~ id_column ~ "), max(" ~ id_column ~ ") from " ~ relation ~ " where " ~ days
        ).rows[0] -%}
        {{ "is null" if range[0] is none else "between " ~ range[0] | int ~ " and " ~ range[1] | int }}
    {%- endif -%}
{%- endmacro %}


{#- The date that a query of one value gives, asked when the model is about to be built: a literal. Where the relation cannot be asked, the query. -#}
{% macro date_asked_of(relation, query) -%}
    {%- if not has_rows_to_ask_for(relation) -%}
        ({{ query }})
    {%- else -%}
        {%- set found = run_query(query).columns[0].values()[0] -%}
        {{ "cast(null as date)" if found is none else date_literal(found | string) }}
    {%- endif -%}
{%- endmacro %}


{#- False while dbt parses, before a table is built for the first time (dbt compile), and for the inputs of a unit test. -#}
{% macro has_rows_to_ask_for(relation) -%}
    {{ return(execute and not relation.is_cte and load_relation(relation) is not none) }}
{%- endmacro %}


{#- {from_date, to_date} as ISO texts, or none when the run has no range. -#}
{% macro days_of_run() -%}
    {%- set from_date, to_date = var('from_date', none), var('to_date', none) -%}
    {#- Never while dbt parses: what it parsed would then depend on them. -#}
    {%- if execute and from_date is none and to_date is none -%}
        {%- set from_date, to_date = env_var('DBT_FROM_DATE', '') or none, env_var('DBT_TO_DATE', '') or none -%}
    {%- endif -%}
    {%- if from_date is none and to_date is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- for name, value in [('from_date', from_date), ('to_date', to_date)] -%}
        {%- if not is_iso_date(value | string) -%}
            {{ exceptions.raise_compiler_error(
                "The var " ~ name ~ " is '" ~ value ~ "'. Give both days as YYYY-MM-DD, for example "
                ~ "--vars '{from_date: 2021-01-01, to_date: 2021-01-03}', or neither."
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {%- if from_date | string > to_date | string -%}
        {{ exceptions.raise_compiler_error("from_date " ~ from_date ~ " is after to_date " ~ to_date ~ ".") }}
    {%- endif -%}
    {{ return({'from_date': from_date | string, 'to_date': to_date | string}) }}
{%- endmacro %}


{#- The days of this run as a list of ISO texts; empty when the run has no range. -#}
{% macro days_of_run_list() -%}
    {%- set days = [] -%}
    {%- if days_of_run() is not none -%}
        {%- set first = modules.datetime.date.fromisoformat(days_of_run().from_date) -%}
        {%- set last = modules.datetime.date.fromisoformat(days_of_run().to_date) -%}
        {%- for offset in range((last - first).days + 1) -%}
            {%- do days.append((first + modules.datetime.timedelta(days=offset)) | string) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(days) }}
{%- endmacro %}
