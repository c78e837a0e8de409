{%- set is_touched = is_customer_touched('customer_id') %}

with

user_profile as (

    select * from {{ ref('user_profile') }}
    where {{ is_touched }}

),

deliveries as (

    select max(insert_date) as latest_day from {{ ref('int_delivery') }}

),

{# Outside the condition: dbt must see the dependencies whatever the vars are when it parses. -#}
{%- set is_to_build = is_day_to_build('insert_date') -%}
{%- set int_touched_line, int_touched_review = ref('int_touched_line'), ref('int_touched_review') -%}
days_of_customers as (

    select
        customer_id,
        amount_spent,
        review_score,
        review_count
    from {{ ref('user_behavior_metric') }}
    where {{ is_to_build }} and {{ is_touched }}

    {% if days_of_run() is not none -%}
    union all

    -- Days that the run does not build were compared when they were built: what profiles were made from stands for them.
    select
        customer_id,
        amount as amount_spent,
        0 as review_score,
        0 as review_count
    from {{ int_touched_line }}
    where not ({{ is_to_build }}) and {{ is_touched }}

    union all

    select
        customer_id,
        cast(0 as decimal(18, 5)) as amount_spent,
        positive_review as review_score,
        1 as review_count
    from {{ int_touched_review }}
    where not ({{ is_to_build }}) and {{ is_touched }}
    {%- endif %}

),

metric as (

    select
        customer_id,
        sum(amount_spent) as amount_spent,
        sum(review_score) as review_score,
        sum(review_count) as review_count
    from days_of_customers
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
