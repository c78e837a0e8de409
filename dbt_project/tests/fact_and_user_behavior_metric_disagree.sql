with

fact as (

    select
        customer_id,
        insert_date,
        sum(amount_spent) as amount_spent,
        sum(review_score) as review_score,
        sum(review_count) as review_count
    from {{ ref('fact_movie_analytics') }}
    group by customer_id, insert_date

)

select
    coalesce(fact.customer_id, metric.customer_id) as customer_id,
    coalesce(fact.insert_date, metric.insert_date) as insert_date
from fact
full outer join {{ ref('user_behavior_metric') }} as metric
    on
        fact.customer_id = metric.customer_id
        and fact.insert_date = metric.insert_date
where
    coalesce(
        fact.amount_spent = metric.amount_spent
        and fact.review_score = metric.review_score
        and fact.review_count = metric.review_count,
        false
    ) = false
