-- A customer is in one cohort, so that the months of all cohorts add up; customers without an order are in none.
select
    active_month,
    sum(amount_spent) as amount_spent,
    sum(order_count) as order_count,
    sum(active_customer_count) as ordering_customer_count
from {{ ref('customer_cohort_retention') }}
group by active_month
order by active_month
