select
    rfm_segment,
    count(*) as customer_count,
    sum(case when invoice_count > 0 then 1 else 0 end) as invoiced_customer_count,
    sum(amount_spent) as amount_spent,
    sum(review_count) as review_count,
    sum(review_score) as review_score
from {{ ref('user_profile') }}
group by rfm_segment
order by amount_spent desc, rfm_segment asc
