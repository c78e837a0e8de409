-- NULL: customers without a purchase or without a review.
select
    spend_sentiment_quadrant,
    count(*) as customer_count,
    sum(amount_spent) as amount_spent,
    sum(review_count) as review_count,
    sum(review_score) as review_score
from {{ ref('user_profile') }}
group by spend_sentiment_quadrant
order by spend_sentiment_quadrant
