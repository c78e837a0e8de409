-- Months without anything are left out.
with

days as (

    select
        cast({{ dbt.date_trunc('month', 'active_date') }} as date) as active_month,
        customer_id,
        order_count,
        amount_spent,
        review_count,
        review_score
    from {{ ref('int_customer_active_day') }}

)

select
    active_month,
    sum(amount_spent) as amount_spent,
    sum(order_count) as order_count,
    count(distinct case when order_count > 0 then customer_id end) as ordering_customer_count,
    sum(review_count) as review_count,
    count(distinct case when review_count > 0 then customer_id end) as reviewer_count,
    sum(review_score) as review_score
from days
group by active_month
order by active_month
