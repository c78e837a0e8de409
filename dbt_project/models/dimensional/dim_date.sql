with

calendar as (

    {{ days_between(var('calendar_start'), var('calendar_end')) }}

),

int_log_member as (

    select * from {{ ref('int_log_member') }}
    where kind = 'date'

),

calendar_and_log_dates as (

    select day_date from calendar
    union all
    select cast(member as date) as day_date from int_log_member

),

all_days as (

    select distinct day_date from calendar_and_log_dates

),

numbered as (

    select
        day_date,
        cast(extract(day from day_date) as {{ dbt.type_int() }}) as day_of_month,
        cast(extract(month from day_date) as {{ dbt.type_int() }}) as month_of_year,
        cast(extract(year from day_date) as {{ dbt.type_int() }}) as calendar_year,
        -- 0001-01-01 was a Monday. (extract() numbers weekdays differently in each warehouse.)
        cast(
            mod({{ dbt.datediff(date_literal('0001-01-01'), 'day_date', 'day') }}, 7) + 1 as {{ dbt.type_int() }}
        ) as day_of_week
    from all_days

),

known as (

    select
        {{ date_key('day_date') }} as id_dim_date,
        day_date as log_date,
        day_of_month as day,
        month_of_year as month,
        calendar_year as year,
        case
            when month_of_year <= 3 then 1
            when month_of_year <= 6 then 2
            when month_of_year <= 9 then 3
            else 4
        end as quarter,
        case
            when month_of_year in (12, 1, 2) then 'Winter'
            when month_of_year in (3, 4, 5) then 'Spring'
            when month_of_year in (6, 7, 8) then 'Summer'
            else 'Fall'
        end as season,
        day_of_week,
        case day_of_week
            {%- for name in ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] %}
            when {{ loop.index }} then '{{ name }}'
            {%- endfor %}
        end as day_name,
        day_of_week >= 6 as is_weekend
    from numbered

),

unknown_key as (

    select -1 as id_dim_date

),

-- No literal NULLs: in a UNION Redshift may report their columns as VARCHAR, whatever they are cast to, which the
-- contract refuses (dbt-redshift#659). No day has the key, so each column is NULL of its own type.
unknown as (

    select
        unknown_key.id_dim_date,
        known.log_date,
        known.day,
        known.month,
        known.year,
        known.quarter,
        {{ text_literal('Unknown') }} as season,
        known.day_of_week,
        {{ text_literal('Unknown') }} as day_name,
        known.is_weekend
    from unknown_key
    left join known
        on unknown_key.id_dim_date = known.id_dim_date

),

final as (

    select * from known
    union all
    select * from unknown

)

select * from final
