select
    cohort_month,
    months_since_first,
    is_complete,
    is_left_censored,
    customer_count,
    active_customer_count,
    retention,
    amount_spent
from {{ ref('customer_cohort_retention') }}
order by cohort_month, months_since_first
