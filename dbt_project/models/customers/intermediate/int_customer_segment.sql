with

int_customer_standing as (

    select * from {{ ref('int_customer_standing') }}

),

int_customer_score as (

    select * from {{ ref('int_customer_score') }}

),

int_customer_quadrant as (

    select * from {{ ref('int_customer_quadrant') }}

),

rfm_segment as (

    select * from {{ ref('rfm_segment') }}

),

final as (

    select
        standings.as_of_date,
        standings.customer_id,
        scores.recency_score,
        scores.frequency_score,
        scores.monetary_score,
        scores.value_score,
        case
            when scores.customer_id is null then {{ text_literal('No order') }}
            else rfm_segment.segment
        end as rfm_segment,
        quadrants.spend_sentiment_quadrant
    from int_customer_standing as standings
    left join int_customer_score as scores
        on
            standings.as_of_date = scores.as_of_date
            and standings.customer_id = scores.customer_id
    left join rfm_segment
        on
            scores.recency_score = rfm_segment.recency_score
            and scores.value_score = rfm_segment.value_score
    left join int_customer_quadrant as quadrants
        on
            standings.as_of_date = quadrants.as_of_date
            and standings.customer_id = quadrants.customer_id

)

select * from final
