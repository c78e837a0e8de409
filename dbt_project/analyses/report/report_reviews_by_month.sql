-- On the day of the log; without one, or with one after the delivery, on the day of the delivery, as in profiles;
-- with how many these are, since other queries go by the log alone.
with

reviews as (

    select
        fact.customer_id,
        fact.review_count,
        fact.review_score,
        case when dim_date.log_date < fact.insert_date then dim_date.log_date else fact.insert_date end as review_date,
        case when dim_date.log_date <= fact.insert_date then 0 else fact.review_count end as delivery_dated_count
    from {{ ref('fact_movie_analytics') }} as fact
    inner join {{ ref('dim_date') }} as dim_date
        on fact.id_dim_date = dim_date.id_dim_date
    where fact.review_count > 0

),

by_month as (

    select
        customer_id,
        review_count,
        review_score,
        delivery_dated_count,
        cast({{ dbt.date_trunc('month', 'review_date') }} as date) as active_month
    from reviews

)

select
    active_month,
    sum(review_count) as review_count,
    count(distinct customer_id) as reviewer_count,
    sum(review_score) as review_score,
    sum(delivery_dated_count) as delivery_dated_count
from by_month
group by active_month
order by active_month
