{{ config(dist='customer_id', sort='customer_id', cluster_by='customer_id') }}

{%- set attributes = ['device', 'os', 'browser', 'location', 'region', 'season', 'weekday'] %}

with

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

-- Every other input has one row a customer on that day: nothing is multiplied.
int_customer_segment as (

    select * from {{ ref('int_customer_segment') }}

),

int_customer_spending as (

    select * from {{ ref('int_customer_spending') }}

),

int_customer_shopping as (

    select * from {{ ref('int_customer_shopping') }}

),

int_customer_opinion as (

    select * from {{ ref('int_customer_opinion') }}

),

int_customer_favourite as (

    select * from {{ ref('int_customer_favourite') }}

),

int_customer_activity as (

    select * from {{ ref('int_customer_activity') }}

),

joined as (

    select
        segments.customer_id,
        segments.as_of_date,
        shopping.country,
        coalesce(shopping.country_count, 0) as country_count,
        spending.first_invoice_date,
        spending.last_invoice_date,
        spending.first_order_date,
        spending.last_order_date,
        opinions.first_review_date,
        opinions.last_review_date,
        case
            when spending.first_invoice_date <= opinions.first_review_date then spending.first_invoice_date
            else coalesce(opinions.first_review_date, spending.first_invoice_date)
        end as first_date,
        coalesce(activity.active_days_7, 0) as active_days_7,
        coalesce(activity.active_days_30, 0) as active_days_30,
        coalesce(activity.active_days_365, 0) as active_days_365,
        coalesce(spending.gross_amount, 0) as gross_amount,
        coalesce(spending.return_amount, 0) as return_amount,
        coalesce(spending.other_credit_amount, 0) as other_credit_amount,
        coalesce(spending.amount_spent, 0) as amount_spent,
        spending.return_rate,
        coalesce(spending.invoice_count, 0) as invoice_count,
        coalesce(spending.order_count, 0) as order_count,
        coalesce(spending.return_count, 0) as return_count,
        coalesce(spending.item_count, 0) as item_count,
        spending.average_basket,
        spending.median_basket,
        shopping.top_product,
        coalesce(activity.amount_spent_30_days, 0) as amount_spent_30_days,
        coalesce(activity.amount_spent_90_days, 0) as amount_spent_90_days,
        coalesce(activity.amount_spent_365_days, 0) as amount_spent_365_days,
        segments.recency_score,
        segments.frequency_score,
        segments.monetary_score,
        segments.value_score,
        segments.rfm_segment,
        coalesce(opinions.review_count, 0) as review_count,
        coalesce(opinions.review_score, 0) as review_score,
        opinions.positive_share,
        opinions.positive_share_lower_bound,
        opinions.days_between_reviews,
        {%- for attribute in attributes %}
        favourites.favourite_{{ attribute }},
        coalesce(favourites.favourite_{{ attribute }}_reviews, 0) as favourite_{{ attribute }}_reviews,
        {%- endfor %}
        coalesce(favourites.device_count, 0) as device_count,
        coalesce(favourites.location_count, 0) as location_count,
        segments.spend_sentiment_quadrant
    from int_customer_segment as segments
    inner join int_as_of_date
        on segments.as_of_date = int_as_of_date.as_of_date
    left join int_customer_spending as spending
        on segments.customer_id = spending.customer_id
    left join int_customer_shopping as shopping
        on segments.customer_id = shopping.customer_id
    left join int_customer_opinion as opinions
        on segments.customer_id = opinions.customer_id
    left join int_customer_favourite as favourites
        on segments.customer_id = favourites.customer_id
    left join int_customer_activity as activity
        on segments.customer_id = activity.customer_id

),

final as (

    select
        customer_id,
        as_of_date,
        country,
        cast(country_count as {{ dbt.type_bigint() }}) as country_count,
        first_invoice_date,
        last_invoice_date,
        first_order_date,
        last_order_date,
        first_review_date,
        last_review_date,
        {%- for column, since in [
            ['tenure_days', 'first_date'],
            ['days_since_last_invoice', 'last_invoice_date'],
            ['days_since_last_order', 'last_order_date'],
            ['days_since_last_review', 'last_review_date'],
        ] %}
        cast(
            {{ dbt.datediff(
                since, 'as_of_date', 'day'
            ) }} as {{ dbt.type_int() }}
        ) as {{ column }},
        {%- endfor %}
        active_days_7,
        active_days_30,
        active_days_365,
        cast(gross_amount as decimal(18, 5)) as gross_amount,
        cast(return_amount as decimal(18, 5)) as return_amount,
        cast(other_credit_amount as decimal(18, 5)) as other_credit_amount,
        cast(amount_spent as decimal(18, 5)) as amount_spent,
        return_rate,
        cast(invoice_count as {{ dbt.type_bigint() }}) as invoice_count,
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
        cast(favourite_{{ attribute }}_reviews as {{ dbt.type_bigint() }}) as favourite_{{ attribute }}_reviews,
        {%- endfor %}
        cast(device_count as {{ dbt.type_bigint() }}) as device_count,
        cast(location_count as {{ dbt.type_bigint() }}) as location_count,
        spend_sentiment_quadrant,
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
