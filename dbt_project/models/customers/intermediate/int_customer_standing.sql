{#- The as-of date is made from the states, months from the days; in most runs there is no month to make. -#}
with

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

int_customer_spending as (

    select * from {{ ref('int_customer_spending') }}

),

int_customer_opinion as (

    select * from {{ ref('int_customer_opinion') }}

),

int_month_to_build as (

    select * from {{ ref('int_month_to_build') }}
    where has_segments

),

int_customer_active_day as (

    select * from {{ ref('int_customer_active_day') }}

),

on_the_as_of_date as (

    select
        int_as_of_date.as_of_date,
        coalesce(spending.customer_id, opinions.customer_id) as customer_id,
        spending.last_order_date,
        coalesce(spending.invoice_count, 0) as invoice_count,
        coalesce(spending.order_count, 0) as order_count,
        coalesce(spending.amount_spent, 0) as amount_spent,
        coalesce(opinions.review_count, 0) as review_count,
        coalesce(opinions.review_score, 0) as review_score
    from int_customer_spending as spending
    full outer join int_customer_opinion as opinions
        on spending.customer_id = opinions.customer_id
    cross join int_as_of_date

),

customer_months as (

    select
        customer_id,
        cast({{ dbt.last_day('active_date', 'month') }} as date) as month_end,
        max(case when order_count > 0 then active_date end) as last_order_date,
        sum(invoice_count) as invoice_count,
        sum(order_count) as order_count,
        sum(amount_spent) as amount_spent,
        sum(review_count) as review_count,
        sum(review_score) as review_score
    from int_customer_active_day
    where active_date <= {{ last_month_to_build() }}
    group by 1, 2

),

at_the_end_of_months as (

    select
        months.month_end as as_of_date,
        customer_months.customer_id,
        max(customer_months.last_order_date) as last_order_date,
        sum(customer_months.invoice_count) as invoice_count,
        sum(customer_months.order_count) as order_count,
        sum(customer_months.amount_spent) as amount_spent,
        sum(customer_months.review_count) as review_count,
        sum(customer_months.review_score) as review_score
    from customer_months
    inner join int_month_to_build as months
        on customer_months.month_end <= months.month_end
    -- Once, if the as-of date is the end of a month.
    inner join int_as_of_date
        on months.month_end < int_as_of_date.as_of_date
    group by 1, 2

),

standings as (

    select * from on_the_as_of_date
    union all
    select * from at_the_end_of_months

),

final as (

    select
        as_of_date,
        customer_id,
        last_order_date,
        cast(invoice_count as {{ dbt.type_bigint() }}) as invoice_count,
        cast(order_count as {{ dbt.type_bigint() }}) as order_count,
        cast(amount_spent as decimal(18, 5)) as amount_spent,
        cast(review_count as {{ dbt.type_bigint() }}) as review_count,
        cast(review_score as {{ dbt.type_bigint() }}) as review_score
    from standings

)

select * from final
