{{ config(materialized='table') }}

{#- Outside the condition: dbt must see the dependency whatever the vars are when it parses. -#}
{%- set int_delivery = ref('int_delivery') -%}
{%- set is_of_run = is_day_of_run('insert_date') -%}

with

int_record_day as (

    select * from {{ ref('int_record_day') }}
    where record_id {{ near_ids_of(ref('int_record_day'), 'record_id', is_of_run) }}

),

run_days as (

    {% if days_of_run() is none -%}
    select distinct insert_date from {{ int_delivery }}
    {%- else -%}
    select day_date as insert_date
    from ({{ days_between(days_of_run().from_date, days_of_run().to_date) }}) as days
    {%- endif %}

),

records_of_run as (

    select distinct record_id from int_record_day
    where {{ is_of_run }}

),

-- A record of the run's days is or was delivered on these too: which day has it first, and which log a review gets, may
-- have changed. No other day can have.
days_with_the_same_records as (

    select int_record_day.insert_date
    from int_record_day
    inner join records_of_run
        on int_record_day.record_id = records_of_run.record_id

),

days_to_build as (

    select insert_date from run_days
    union all
    select insert_date from days_with_the_same_records

)

select distinct insert_date from days_to_build
