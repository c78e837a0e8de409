with

int_customer_standing as (

    select * from {{ ref('int_customer_standing') }}

),

-- Of everyone with an invoice, also of those who never wrote.
halved as (

    select
        as_of_date,
        customer_id,
        {{ quantile('amount_spent', 2, partition_by='as_of_date') }} as money_half
    from int_customer_standing
    where invoice_count > 0

),

all_reviews as (

    select
        as_of_date,
        sum(review_count) as review_count,
        sum(review_score) as review_score
    from int_customer_standing
    group by as_of_date

),

final as (

    select
        halved.as_of_date,
        halved.customer_id,
        case
            when halved.money_half = 2 then {{ text_literal('big spender') }}
            else {{ text_literal('small spender') }}
        end
        || ', '
        -- Shares compared without a division.
        || case
            when
                standings.review_score * all_reviews.review_count
                >= all_reviews.review_score * standings.review_count
                then {{ text_literal('positive') }}
            else {{ text_literal('not positive') }}
        end as spend_sentiment_quadrant
    from halved
    inner join int_customer_standing as standings
        on
            halved.as_of_date = standings.as_of_date
            and halved.customer_id = standings.customer_id
    inner join all_reviews
        on halved.as_of_date = all_reviews.as_of_date
    where standings.review_count > 0

)

select * from final
