-- Customers who never ordered have no score.
select
    recency_score,
    value_score,
    rfm_segment,
    count(*) as customer_count,
    sum(amount_spent) as amount_spent
from {{ ref('user_profile') }}
where recency_score is not null
group by recency_score, value_score, rfm_segment
order by recency_score, value_score
