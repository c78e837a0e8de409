{#-
    Which days a run builds. `from_date` and `to_date` (vars, inclusive) are the days that the run brought in; without
    them a run builds everything that is staged.

    Two predicates, because a day's data can change other days: a log fills in a review of an earlier day, and a review
    that is delivered twice belongs to the earliest day that has it (int_day_to_build has the whole rule).
-#}

{#- True for the days that this run brought in. The dates are literals, so that external tables prune partitions. -#}
{% macro is_day_of_run(column) -%}
    {%- if days_of_run() is none -%}
        true
    {%- else -%}
        {{ column }} between {{ date_literal(days_of_run().from_date) }} and {{ date_literal(days_of_run().to_date) }}
    {%- endif -%}
{%- endmacro %}


{#- True for every day that this run has to build: its own and those that they change. -#}
{% macro is_day_to_build(column) -%}
    {#- Outside the condition: dbt must see the dependency whatever the vars are when it parses. -#}
    {%- set days = ref('int_day_to_build') -%}
    {%- if days_of_run() is none -%}
        true
    {%- else -%}
        {{ column }} in (select days.insert_date from {{ days }} as days)
    {%- endif -%}
{%- endmacro %}


{#- {from_date, to_date} as ISO texts, or none when the run has no range. -#}
{% macro days_of_run() -%}
    {%- set from_date, to_date = var('from_date', none), var('to_date', none) -%}
    {%- if from_date is none and to_date is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- for name, value in [('from_date', from_date), ('to_date', to_date)] -%}
        {%- if not modules.re.fullmatch('\d{4}-\d{2}-\d{2}', value | string) -%}
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
