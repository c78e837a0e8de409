with

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

int_customer_invoice as (

    select * from {{ ref('int_customer_invoice') }}

),

int_customer_review as (

    select * from {{ ref('int_customer_review') }}

),

activity as (

    select
        customer_id,
        invoice_date as active_date
    from int_customer_invoice

    union all

    select
        customer_id,
        review_date as active_date
    from int_customer_review

),

dated_activity as (

    select
        activity.customer_id,
        activity.active_date,
        int_as_of_date.as_of_date,
        {{ dbt.datediff(
            'activity.active_date', 'int_as_of_date.as_of_date', 'day'
        ) }} as days_ago
    from activity
    cross join int_as_of_date

),

final as (

    select
        customer_id,
        as_of_date,
        cast(max(days_ago) as {{ dbt.type_int() }}) as tenure_days,
        cast(
            count(distinct case when days_ago between 0 and 6 then active_date end) as {{ dbt.type_int() }}
        ) as active_days_7,
        cast(
            count(distinct case when days_ago between 0 and 29 then active_date end) as {{ dbt.type_int() }}
        ) as active_days_30,
        cast(
            count(distinct case when days_ago between 0 and 364 then active_date end) as {{ dbt.type_int() }}
        ) as active_days_365
    from dated_activity
    group by customer_id, as_of_date

)

select * from final
