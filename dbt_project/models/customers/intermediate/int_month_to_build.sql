{#- The history is written after this, so it cannot be a ref(): it is looked for where it is written. -#}
{%- set can_be_asked = execute and model.resource_type == 'model' and not flags.FULL_REFRESH -%}
{%- set history = load_relation(relation_of('user_segment_history')) if can_be_asked else none -%}
{%- set first_day = first_day_of_months_to_build(ref('int_customer_touched'), history) -%}

with

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

-- From this month on a segment may be another: 0001-01-01 when all customers are touched.
changed as (

    select cast({{ dbt.date_trunc('month', 'min(first_active_date)') }} as date) as first_month
    from {{ ref('int_customer_touched') }}

),

written_months as (

    {% if history is not none -%}
    select distinct as_of_date as month_end from {{ history }}
    where as_of_date >= {{ first_day }}
    {%- else -%}
    -- None, as dates: a literal NULL may become VARCHAR in the UNION below (dbt-redshift#659).
    select active_date as month_end
    from {{ ref('int_customer_active_day') }}
    where false
    {%- endif %}

),

written as (

    select coalesce(max(month_end), {{ date_literal('0001-01-01') }}) as last_month_end
    from written_months

),

active_dates as (

    select distinct active_date
    from {{ ref('int_customer_active_day') }}
    where active_date >= {{ first_day }}

),

months_with_activity as (

    select distinct cast({{ dbt.last_day('active_dates.active_date', 'month') }} as date) as month_end
    from active_dates
    cross join changed
    cross join written
    where active_dates.active_date >= changed.first_month or active_dates.active_date > written.last_month_end

),

months as (

    select
        months_with_activity.month_end,
        1 as has_segments
    from months_with_activity
    inner join int_as_of_date
        on months_with_activity.month_end <= int_as_of_date.as_of_date

    union all

    -- What is written of them goes, also if nothing is left that happened in them.
    select
        written_months.month_end,
        0 as has_segments
    from written_months
    inner join changed
        on written_months.month_end >= changed.first_month

),

final as (

    select
        month_end,
        max(has_segments) = 1 as has_segments
    from months
    group by month_end

)

select * from final
