{#- What moves with the as-of date alone: only the longest window is read. -#}
with

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

int_customer_active_day as (

    select * from {{ ref('int_customer_active_day') }}
    where active_date > {{ add_days(as_of_date_known(ref('int_as_of_date')), -365) }}

),

dated_activity as (

    select
        active_days.customer_id,
        active_days.amount_spent,
        {{ dbt.datediff(
            'active_days.active_date', 'int_as_of_date.as_of_date', 'day'
        ) }} as days_ago
    from int_customer_active_day as active_days
    cross join int_as_of_date

),

final as (

    select
        customer_id,
        cast(sum(case when days_ago < 7 then 1 else 0 end) as {{ dbt.type_int() }}) as active_days_7,
        cast(sum(case when days_ago < 30 then 1 else 0 end) as {{ dbt.type_int() }}) as active_days_30,
        cast(count(*) as {{ dbt.type_int() }}) as active_days_365,
        cast(sum(case when days_ago < 30 then amount_spent else 0 end) as decimal(18, 5)) as amount_spent_30_days,
        cast(sum(case when days_ago < 90 then amount_spent else 0 end) as decimal(18, 5)) as amount_spent_90_days,
        cast(sum(amount_spent) as decimal(18, 5)) as amount_spent_365_days
    from dated_activity
    group by customer_id

)

select * from final
