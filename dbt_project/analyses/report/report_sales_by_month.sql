-- A customer is in one cohort, so that the months of all cohorts add up; customers without an order are in none.
with

cohorts as (

    select
        cast({{ dbt.dateadd('month', 'months_since_first', 'cohort_month') }} as date) as active_month,
        active_customer_count,
        order_count,
        amount_spent
    from {{ ref('customer_cohort_retention') }}

)

select
    active_month,
    sum(amount_spent) as amount_spent,
    sum(order_count) as order_count,
    sum(active_customer_count) as ordering_customer_count
from cohorts
group by active_month
order by active_month
