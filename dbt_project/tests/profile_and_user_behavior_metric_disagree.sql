with

metric as (

    select
        customer_id,
        sum(amount_spent) as amount_spent,
        sum(review_score) as review_score,
        sum(review_count) as review_count
    from {{ ref('user_behavior_metric') }}
    group by customer_id

)

select coalesce(user_profile.customer_id, metric.customer_id) as customer_id
from {{ ref('user_profile') }} as user_profile
full outer join metric
    on user_profile.customer_id = metric.customer_id
where
    coalesce(
        user_profile.amount_spent = metric.amount_spent
        and user_profile.amount_spent = user_profile.gross_amount - user_profile.return_amount
        and user_profile.review_score = metric.review_score
        and user_profile.review_count = metric.review_count,
        false
    ) = false
