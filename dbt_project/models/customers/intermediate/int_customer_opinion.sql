{{ config(dist='customer_id', sort='customer_id', cluster_by='customer_id') }}

with

int_touched_review as (

    select * from {{ ref('int_touched_review') }}

),

reviews as (

    select
        customer_id,
        min(review_date) as first_review_date,
        max(review_date) as last_review_date,
        {{ dbt.datediff(
            'min(review_date)', 'max(review_date)', 'day'
        ) }} as days_of_reviewing,
        count(*) as review_count,
        sum(positive_review) as review_score
    from int_touched_review
    group by customer_id

),

final as (

    select
        customer_id,
        first_review_date,
        last_review_date,
        cast(review_count as {{ dbt.type_bigint() }}) as review_count,
        cast(review_score as {{ dbt.type_bigint() }}) as review_score,
        cast({{ rounded_quotient('review_score', 'review_count') }} as decimal(9, 5)) as positive_share,
        {{ wilson_lower_bound('review_score', 'review_count') }} as positive_share_lower_bound,
        {{ rounded_quotient('days_of_reviewing', 'review_count - 1') }} as days_between_reviews
    from reviews

)

select * from final
