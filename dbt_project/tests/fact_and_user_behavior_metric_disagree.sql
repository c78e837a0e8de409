{%- set is_to_build = is_day_to_build('insert_date') %}

with

fact as (

    select
        customer_id,
        insert_date,
        sum(amount_spent) as amount_spent,
        sum(review_score) as review_score,
        sum(review_count) as review_count
    from {{ ref('fact_movie_analytics') }}
    where {{ is_to_build }}
    group by customer_id, insert_date

),

metric as (

    select * from {{ ref('user_behavior_metric') }}
    where {{ is_to_build }}

)

select
    coalesce(fact.customer_id, metric.customer_id) as customer_id,
    coalesce(fact.insert_date, metric.insert_date) as insert_date
from fact
full outer join metric
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
