{#-
    A subquery with one row for each day from first_day to last_day (ISO texts, inclusive, at most 100,000 days), column
    `day_date`. From literals only: nothing is asked of the warehouse while compiling.
-#}
{% macro days_between(first_day, last_day) -%}
    {{ return(adapter.dispatch('days_between', 'movie_analytics')(first_day, last_day)) }}
{%- endmacro %}

{#- Redshift's generate_series runs on the leader node only: numbers are made of their digits. -#}
{% macro default__days_between(first_day, last_day) -%}
    {%- set start = modules.datetime.date.fromisoformat(first_day | string) -%}
    {%- set end = modules.datetime.date.fromisoformat(last_day | string) -%}
    {%- set day_count = (end - start).days + 1 -%}
    {%- set places = [1, 10, 100, 1000, 10000] | select('lt', day_count) | list or [1] -%}
    select {{ add_days(date_literal(start), 'numbers.n') }} as day_date
    from (
        select
            {% for place in places -%}
            digit_{{ place }}.n * {{ place }}{{ ' +' if not loop.last }}
            {% endfor -%}
            as n
        from
            {% for place in places -%}
            (
                {%- for n in range(10) %}
                select {{ n }} as n{{ ' union all' if not loop.last }}
                {%- endfor %}
            ) as digit_{{ place }}
            {{- ' cross join' if not loop.last }}
            {% endfor %}
    ) as numbers
    where numbers.n < {{ day_count }}
{%- endmacro %}

{% macro bigquery__days_between(first_day, last_day) -%}
    select day_date
    from unnest(generate_date_array({{ date_literal(first_day) }}, {{ date_literal(last_day) }})) as day_date
{%- endmacro %}
