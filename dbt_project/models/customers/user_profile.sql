{{ config(dist='customer_id', sort='customer_id', cluster_by='customer_id') }}

with

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

int_purchase_line as (

    select * from {{ ref('int_purchase_line') }}

),

int_customer_invoice as (

    select * from {{ ref('int_customer_invoice') }}

),

int_customer_review as (

    select * from {{ ref('int_customer_review') }}

),

int_customer_favourite as (

    select * from {{ ref('int_customer_favourite') }}

),

int_customer_score as (

    select * from {{ ref('int_customer_score') }}

),

rfm_segment as (

    select * from {{ ref('rfm_segment') }}

),

-- Everything is brought to one row a customer before it meets: nothing is multiplied.
activity as (

    select
        customer_id,
        invoice_date as active_date
    from int_customer_invoice

    union all

    select
        customer_id,
        review_date as active_date
    from int_customer_review

),

dated_activity as (

    select
        activity.customer_id,
        activity.active_date,
        int_as_of_date.as_of_date,
        {{ dbt.datediff(
            'activity.active_date', 'int_as_of_date.as_of_date', 'day'
        ) }} as days_ago
    from activity
    cross join int_as_of_date

),

customers as (

    select
        customer_id,
        as_of_date,
        max(days_ago) as tenure_days,
        count(distinct case when days_ago between 0 and 6 then active_date end) as active_days_7,
        count(distinct case when days_ago between 0 and 29 then active_date end) as active_days_30,
        count(distinct case when days_ago between 0 and 364 then active_date end) as active_days_365
    from dated_activity
    group by customer_id, as_of_date

),

dated_invoices as (

    select
        int_customer_invoice.*,
        {{ dbt.datediff(
            'int_customer_invoice.invoice_date', 'int_as_of_date.as_of_date', 'day'
        ) }} as days_ago
    from int_customer_invoice
    cross join int_as_of_date

),

purchases as (

    select
        customer_id,
        min(invoice_date) as first_invoice_date,
        max(invoice_date) as last_invoice_date,
        min(days_ago) as days_since_last_invoice,
        sum(gross_amount) as gross_amount,
        sum(return_amount) as return_amount,
        sum(amount_spent) as amount_spent,
        sum(case when gross_amount > 0 then 1 else 0 end) as order_count,
        sum(case when return_amount > 0 then 1 else 0 end) as return_count,
        sum(item_count) as item_count,
        sum(case when days_ago between 0 and 29 then amount_spent else 0 end) as amount_spent_30_days,
        sum(case when days_ago between 0 and 89 then amount_spent else 0 end) as amount_spent_90_days,
        sum(case when days_ago between 0 and 364 then amount_spent else 0 end) as amount_spent_365_days
    from dated_invoices
    group by customer_id

),

halved as (

    select
        customer_id,
        {{ quantile('amount_spent', 2) }} as money_half
    from purchases

),

countries as (

    select
        customer_id,
        country as country_name,
        row_number() over (partition by customer_id order by max(invoiced_at) desc, country asc) as place
    from int_purchase_line
    where country is not null
    group by customer_id, country

),

latest_country as (

    select
        customer_id,
        max(case when place = 1 then country_name end) as country_name,
        count(*) as country_count
    from countries
    group by customer_id

),

products as (

    select
        customer_id,
        stock_code,
        row_number() over (partition by customer_id order by sum(amount) desc, stock_code asc) as place
    from int_purchase_line
    where amount > 0 and stock_code is not null
    group by customer_id, stock_code

),

orders_by_size as (

    select
        customer_id,
        gross_amount,
        row_number() over (partition by customer_id order by gross_amount, invoice_number) as place,
        count(*) over (partition by customer_id) as number_of_orders
    from int_customer_invoice
    where gross_amount > 0

),

-- The order in the middle, or the two of an even number.
middle_orders as (

    select
        customer_id,
        sum(gross_amount) as gross_amount,
        count(*) as number_of_orders
    from orders_by_size
    where 2 * place between number_of_orders and number_of_orders + 2
    group by customer_id

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
        count(*) as number_of_reviews,
        sum(positive_review) as number_of_positives
    from dated_reviews
    group by customer_id

),

all_reviews as (

    select
        sum(number_of_reviews) as number_of_reviews,
        sum(number_of_positives) as number_of_positives
    from reviews

),

joined as (

    select
        customers.*,
        latest_country.country_name,
        coalesce(latest_country.country_count, 0) as country_count,
        purchases.first_invoice_date,
        purchases.last_invoice_date,
        purchases.days_since_last_invoice,
        reviews.first_review_date,
        reviews.last_review_date,
        reviews.days_since_last_review,
        reviews.days_of_reviewing,
        coalesce(purchases.gross_amount, 0) as gross_amount,
        coalesce(purchases.return_amount, 0) as return_amount,
        coalesce(purchases.amount_spent, 0) as amount_spent,
        coalesce(purchases.order_count, 0) as order_count,
        coalesce(purchases.return_count, 0) as return_count,
        coalesce(purchases.item_count, 0) as item_count,
        middle_orders.gross_amount as middle_amount,
        middle_orders.number_of_orders as middle_order_count,
        products.stock_code as top_product,
        coalesce(purchases.amount_spent_30_days, 0) as amount_spent_30_days,
        coalesce(purchases.amount_spent_90_days, 0) as amount_spent_90_days,
        coalesce(purchases.amount_spent_365_days, 0) as amount_spent_365_days,
        scores.recency_score,
        scores.frequency_score,
        scores.monetary_score,
        scores.value_score,
        case
            when scores.customer_id is null then {{ text_literal('No order') }}
            else rfm_segment.segment
        end as segment_name,
        coalesce(reviews.number_of_reviews, 0) as review_count,
        coalesce(reviews.number_of_positives, 0) as review_score,
        {%- for attribute in ['device', 'os', 'browser', 'location', 'region', 'season', 'weekday'] %}
        favourites.favourite_{{ attribute }},
        {%- endfor %}
        coalesce(favourites.device_count, 0) as device_count,
        coalesce(favourites.location_count, 0) as location_count,
        case
            when halved.customer_id is null or reviews.customer_id is null then null
            when halved.money_half = 2 then {{ text_literal('big spender') }}
            else {{ text_literal('small spender') }}
        end as spending,
        case
            when
                reviews.number_of_positives * all_reviews.number_of_reviews
                >= all_reviews.number_of_positives * reviews.number_of_reviews
                then {{ text_literal('positive') }}
            else {{ text_literal('not positive') }}
        end as sentiment
    from customers
    cross join all_reviews
    left join purchases
        on customers.customer_id = purchases.customer_id
    left join halved
        on customers.customer_id = halved.customer_id
    left join latest_country
        on customers.customer_id = latest_country.customer_id
    left join products
        on
            customers.customer_id = products.customer_id
            and products.place = 1
    left join middle_orders
        on customers.customer_id = middle_orders.customer_id
    left join reviews
        on customers.customer_id = reviews.customer_id
    left join int_customer_favourite as favourites
        on customers.customer_id = favourites.customer_id
    left join int_customer_score as scores
        on customers.customer_id = scores.customer_id
    left join rfm_segment
        on
            scores.recency_score = rfm_segment.recency_score
            and scores.value_score = rfm_segment.value_score

),

final as (

    select
        customer_id,
        as_of_date,
        country_name as country,
        cast(country_count as {{ dbt.type_bigint() }}) as country_count,
        first_invoice_date,
        last_invoice_date,
        first_review_date,
        last_review_date,
        cast(tenure_days as {{ dbt.type_int() }}) as tenure_days,
        cast(days_since_last_invoice as {{ dbt.type_int() }}) as days_since_last_invoice,
        cast(days_since_last_review as {{ dbt.type_int() }}) as days_since_last_review,
        cast(active_days_7 as {{ dbt.type_int() }}) as active_days_7,
        cast(active_days_30 as {{ dbt.type_int() }}) as active_days_30,
        cast(active_days_365 as {{ dbt.type_int() }}) as active_days_365,
        cast(gross_amount as decimal(18, 5)) as gross_amount,
        cast(return_amount as decimal(18, 5)) as return_amount,
        cast(amount_spent as decimal(18, 5)) as amount_spent,
        {{ rounded_quotient('return_amount', 'gross_amount') }} as return_rate,
        cast(order_count as {{ dbt.type_bigint() }}) as order_count,
        cast(return_count as {{ dbt.type_bigint() }}) as return_count,
        cast(item_count as {{ dbt.type_bigint() }}) as item_count,
        {{ rounded_quotient('gross_amount', 'order_count') }} as average_basket,
        {{ rounded_quotient('middle_amount', 'middle_order_count') }} as median_basket,
        top_product,
        cast(amount_spent_30_days as decimal(18, 5)) as amount_spent_30_days,
        cast(amount_spent_90_days as decimal(18, 5)) as amount_spent_90_days,
        cast(amount_spent_365_days as decimal(18, 5)) as amount_spent_365_days,
        recency_score,
        frequency_score,
        monetary_score,
        value_score,
        segment_name as rfm_segment,
        cast(review_count as {{ dbt.type_bigint() }}) as review_count,
        cast(review_score as {{ dbt.type_bigint() }}) as review_score,
        cast({{ rounded_quotient('review_score', 'review_count') }} as decimal(9, 5)) as positive_share,
        {{ wilson_lower_bound('review_score', 'review_count') }} as positive_share_lower_bound,
        {{ rounded_quotient('days_of_reviewing', 'review_count - 1') }} as days_between_reviews,
        {%- for attribute in ['device', 'os', 'browser', 'location', 'region', 'season', 'weekday'] %}
        favourite_{{ attribute }},
        {%- endfor %}
        cast(device_count as {{ dbt.type_bigint() }}) as device_count,
        cast(location_count as {{ dbt.type_bigint() }}) as location_count,
        spending || ', ' || sentiment as spend_sentiment_quadrant,
        segment_name in ('At risk', 'Cannot lose them') as is_at_risk,
        cast({{ rounded_quotient(
            "case when order_count > 0 then 1 else 0 end"
            ~ " + case when review_count > 0 then 1 else 0 end"
            ~ " + case when device_count > 0 then 1 else 0 end"
            ~ " + case when location_count > 0 then 1 else 0 end"
            ~ " + case when lower(country_name) <> 'unspecified' then 1 else 0 end",
            '5'
        ) }} as decimal(9, 5)) as profile_completeness
    from joined

)

select * from final
