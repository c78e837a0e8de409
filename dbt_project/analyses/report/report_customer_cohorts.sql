select
    cohort_month,
    months_since_first,
    customer_count,
    active_customer_count,
    retention,
    amount_spent
from {{ ref('customer_cohort_retention') }}
order by cohort_month, months_since_first
