{%- set is_touched = is_customer_touched('customer_id') %}

with

user_profile as (

    select * from {{ ref('user_profile') }}
    where {{ is_touched }}

),

deliveries as (

    select max(insert_date) as latest_day from {{ ref('int_delivery') }}

),

metric as (

    select
        customer_id,
        sum(amount_spent) as amount_spent,
        sum(review_score) as review_score,
        sum(review_count) as review_count
    from {{ ref('user_behavior_metric') }}
    where {{ is_touched }}
    group by customer_id

)

select coalesce(user_profile.customer_id, metric.customer_id) as customer_id
from user_profile
full outer join metric
    on user_profile.customer_id = metric.customer_id
cross join {{ ref('int_as_of_date') }} as int_as_of_date
cross join deliveries
where
    -- Of an earlier day the profile knows less than the metric.
    int_as_of_date.as_of_date = deliveries.latest_day
    and coalesce(
        user_profile.amount_spent = metric.amount_spent
        and user_profile.review_score = metric.review_score
        and user_profile.review_count = metric.review_count,
        false
    ) = false

union all

select customer_id
from user_profile
where amount_spent <> gross_amount - return_amount - other_credit_amount
