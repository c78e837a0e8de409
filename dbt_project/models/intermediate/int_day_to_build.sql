{{ config(materialized='table') }}

{#- Outside the condition: dbt must see the dependency whatever the vars are when it parses. -#}
{%- set int_delivery = ref('int_delivery') %}

with

int_record_day as (

    select * from {{ ref('int_record_day') }}

),

run_days as (

    {% if days_of_run() is none -%}
    select distinct insert_date from {{ int_delivery }}
    {%- else -%}
    select day_date as insert_date
    from ({{ days_between(days_of_run().from_date, days_of_run().to_date) }}) as days
    {%- endif %}

),

-- Days that share a record with the run's days: which of them has it first may have changed.
days_with_the_same_records as (

    select distinct other_days.insert_date
    from int_record_day
    inner join int_record_day as other_days
        on
            int_record_day.table_name = other_days.table_name
            and int_record_day.record_id = other_days.record_id
    where {{ is_day_of_run('int_record_day.insert_date') }}

),

changed_days as (

    select insert_date from run_days
    union all
    select insert_date from days_with_the_same_records

),

-- A review and its log may be this many days apart, so that a change of one touches the other's day.
neighbouring_days as (

    {% for days in range(-var('lookback_days'), var('lookback_days') + 1) -%}
    select {{ add_days('insert_date', days) }} as insert_date from changed_days
    {% if not loop.last %}union all
    {% endif %}
    {%- endfor %}

)

select distinct insert_date from neighbouring_days
