{{ config(dist='customer_id', sort='customer_id', cluster_by='customer_id') }}

{%- set attributes = ['device', 'os', 'browser', 'location', 'region', 'season', 'weekday'] %}

with

-- Every input has one row a customer: nothing is multiplied.
int_customer_activity as (

    select * from {{ ref('int_customer_activity') }}

),

int_customer_spending as (

    select * from {{ ref('int_customer_spending') }}

),

int_customer_shopping as (

    select * from {{ ref('int_customer_shopping') }}

),

int_customer_score as (

    select * from {{ ref('int_customer_score') }}

),

int_customer_opinion as (

    select * from {{ ref('int_customer_opinion') }}

),

int_customer_favourite as (

    select * from {{ ref('int_customer_favourite') }}

),

rfm_segment as (

    select * from {{ ref('rfm_segment') }}

),

joined as (

    select
        activity.*,
        shopping.country,
        coalesce(shopping.country_count, 0) as country_count,
        spending.first_invoice_date,
        spending.last_invoice_date,
        opinions.first_review_date,
        opinions.last_review_date,
        spending.days_since_last_invoice,
        opinions.days_since_last_review,
        coalesce(spending.gross_amount, 0) as gross_amount,
        coalesce(spending.return_amount, 0) as return_amount,
        coalesce(spending.amount_spent, 0) as amount_spent,
        spending.return_rate,
        coalesce(spending.order_count, 0) as order_count,
        coalesce(spending.return_count, 0) as return_count,
        coalesce(spending.item_count, 0) as item_count,
        spending.average_basket,
        spending.median_basket,
        shopping.top_product,
        coalesce(spending.amount_spent_30_days, 0) as amount_spent_30_days,
        coalesce(spending.amount_spent_90_days, 0) as amount_spent_90_days,
        coalesce(spending.amount_spent_365_days, 0) as amount_spent_365_days,
        scores.recency_score,
        scores.frequency_score,
        scores.monetary_score,
        scores.value_score,
        case
            when scores.customer_id is null then {{ text_literal('No order') }}
            else rfm_segment.segment
        end as rfm_segment,
        coalesce(opinions.review_count, 0) as review_count,
        coalesce(opinions.review_score, 0) as review_score,
        opinions.positive_share,
        opinions.positive_share_lower_bound,
        opinions.days_between_reviews,
        {%- for attribute in attributes %}
        favourites.favourite_{{ attribute }},
        {%- endfor %}
        coalesce(favourites.device_count, 0) as device_count,
        coalesce(favourites.location_count, 0) as location_count,
        case
            when spending.is_big_spender then {{ text_literal('big spender') }}
            when not spending.is_big_spender then {{ text_literal('small spender') }}
        end as spender,
        case
            when opinions.is_positive then {{ text_literal('positive') }}
            when not opinions.is_positive then {{ text_literal('not positive') }}
        end as sentiment
    from int_customer_activity as activity
    left join int_customer_spending as spending
        on activity.customer_id = spending.customer_id
    left join int_customer_shopping as shopping
        on activity.customer_id = shopping.customer_id
    left join int_customer_score as scores
        on activity.customer_id = scores.customer_id
    left join int_customer_opinion as opinions
        on activity.customer_id = opinions.customer_id
    left join int_customer_favourite as favourites
        on activity.customer_id = favourites.customer_id
    left join rfm_segment
        on
            scores.recency_score = rfm_segment.recency_score
            and scores.value_score = rfm_segment.value_score

),

final as (

    select
        customer_id,
        as_of_date,
        country,
        cast(country_count as {{ dbt.type_bigint() }}) as country_count,
        first_invoice_date,
        last_invoice_date,
        first_review_date,
        last_review_date,
        tenure_days,
        days_since_last_invoice,
        days_since_last_review,
        active_days_7,
        active_days_30,
        active_days_365,
        cast(gross_amount as decimal(18, 5)) as gross_amount,
        cast(return_amount as decimal(18, 5)) as return_amount,
        cast(amount_spent as decimal(18, 5)) as amount_spent,
        return_rate,
        cast(order_count as {{ dbt.type_bigint() }}) as order_count,
        cast(return_count as {{ dbt.type_bigint() }}) as return_count,
        cast(item_count as {{ dbt.type_bigint() }}) as item_count,
        average_basket,
        median_basket,
        top_product,
        cast(amount_spent_30_days as decimal(18, 5)) as amount_spent_30_days,
        cast(amount_spent_90_days as decimal(18, 5)) as amount_spent_90_days,
        cast(amount_spent_365_days as decimal(18, 5)) as amount_spent_365_days,
        recency_score,
        frequency_score,
        monetary_score,
        value_score,
        rfm_segment,
        cast(review_count as {{ dbt.type_bigint() }}) as review_count,
        cast(review_score as {{ dbt.type_bigint() }}) as review_score,
        positive_share,
        positive_share_lower_bound,
        days_between_reviews,
        {%- for attribute in attributes %}
        favourite_{{ attribute }},
        {%- endfor %}
        cast(device_count as {{ dbt.type_bigint() }}) as device_count,
        cast(location_count as {{ dbt.type_bigint() }}) as location_count,
        -- NULL without the one or the other.
        spender || ', ' || sentiment as spend_sentiment_quadrant,
        rfm_segment in ('At risk', 'Cannot lose them') as is_at_risk,
        cast({{ rounded_quotient(
            "case when order_count > 0 then 1 else 0 end"
            ~ " + case when review_count > 0 then 1 else 0 end"
            ~ " + case when device_count > 0 then 1 else 0 end"
            ~ " + case when location_count > 0 then 1 else 0 end"
            ~ " + case when lower(country) <> 'unspecified' then 1 else 0 end",
            '5'
        ) }} as decimal(9, 5)) as profile_completeness
    from joined

)

select * from final
