with

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

int_customer_review as (

    select * from {{ ref('int_customer_review') }}

),

dated_reviews as (

    select
        int_customer_review.*,
        {{ dbt.datediff(
            'int_customer_review.review_date', 'int_as_of_date.as_of_date', 'day'
        ) }} as days_ago
    from int_customer_review
    cross join int_as_of_date

),

reviews as (

    select
        customer_id,
        min(review_date) as first_review_date,
        max(review_date) as last_review_date,
        min(days_ago) as days_since_last_review,
        max(days_ago) - min(days_ago) as days_of_reviewing,
        count(*) as review_count,
        sum(positive_review) as review_score
    from dated_reviews
    group by customer_id

),

all_reviews as (

    select
        sum(review_count) as review_count,
        sum(review_score) as review_score
    from reviews

),

final as (

    select
        reviews.customer_id,
        reviews.first_review_date,
        reviews.last_review_date,
        cast(reviews.days_since_last_review as {{ dbt.type_int() }}) as days_since_last_review,
        cast(reviews.review_count as {{ dbt.type_bigint() }}) as review_count,
        cast(reviews.review_score as {{ dbt.type_bigint() }}) as review_score,
        cast(
            {{ rounded_quotient('reviews.review_score', 'reviews.review_count') }} as decimal(9, 5)
        ) as positive_share,
        {{ wilson_lower_bound('reviews.review_score', 'reviews.review_count') }} as positive_share_lower_bound,
        {{ rounded_quotient('reviews.days_of_reviewing', 'reviews.review_count - 1') }} as days_between_reviews,
        -- Shares compared without a division.
        reviews.review_score * all_reviews.review_count
        >= all_reviews.review_score * reviews.review_count as is_positive
    from reviews
    cross join all_reviews

)

select * from final
