{{ config(
    materialized='incremental',
    partition_by=partition_by_insert_date(),
    sort='insert_date',
    dist='customer_id',
    cluster_by='customer_id'
) }}

{%- set is_to_build = is_day_to_build('insert_date') %}

{%- set dimension_keys = ['id_dim_date', 'id_dim_devices', 'id_dim_location', 'id_dim_os', 'id_dim_browser'] %}
{%- set slice = ['insert_date', 'customer_id'] + dimension_keys %}

with

int_attributed_review as (

    select * from {{ ref('int_attributed_review') }}
    where {{ is_to_build }} and customer_id is not null

),

int_customer_purchase as (

    select * from {{ ref('int_customer_purchase') }}
    where {{ is_to_build }} and customer_id is not null

),

keyed_reviews as (

    select
        insert_date,
        customer_id,
        {{ dimension_keys_of_log() }},
        positive_review
    from int_attributed_review

),

-- Both sides are brought to one row a customer and day (reviews: and slice) before they meet: joining purchase lines to
-- reviews would multiply money.
reviews_by_slice as (

    select
        {{ slice | join(',\n        ') }},
        cast(sum(positive_review) as {{ dbt.type_bigint() }}) as review_score,
        cast(count(*) as {{ dbt.type_bigint() }}) as review_count
    from keyed_reviews
    group by {{ slice | join(', ') }}

),

running_reviews_by_slice as (

    select
        *,
        cast(sum(review_count) over (
            partition by insert_date, customer_id
        ) as {{ dbt.type_bigint() }}) as customer_reviews,
        cast(sum(review_count) over (
            partition by insert_date, customer_id
            order by {{ dimension_keys | join(', ') }}
            rows between unbounded preceding and current row
        ) as {{ dbt.type_bigint() }}) - review_count as reviews_before
    from reviews_by_slice

),

-- Money in whole units of 0.00001, the last digit of amount_spent, so that it can be shared without rounding.
purchases_in_units as (

    select
        insert_date,
        customer_id,
        cast(cast(abs(amount_spent) as decimal(23, 5)) * 100000 as {{ dbt.type_bigint() }}) as total_units,
        case when amount_spent < 0 then -1 else 1 end as money_sign
    from int_customer_purchase

),

joined as (

    select
        coalesce(reviews.insert_date, purchases.insert_date) as insert_date,
        coalesce(reviews.customer_id, purchases.customer_id) as customer_id,
        {%- for key in dimension_keys %}
        coalesce(reviews.{{ key }}, -1) as {{ key }},
        {%- endfor %}
        coalesce(reviews.review_score, 0) as review_score,
        coalesce(reviews.review_count, 0) as review_count,
        -- A customer without reviews that day has one row on the unknown members: it takes all as a single share.
        coalesce(reviews.review_count, 1) as share_count,
        coalesce(reviews.customer_reviews, 1) as customer_shares,
        coalesce(reviews.reviews_before, 0) as shares_before,
        coalesce(purchases.total_units, 0) as total_units,
        coalesce(purchases.money_sign, 1) as money_sign
    from running_reviews_by_slice as reviews
    full outer join purchases_in_units as purchases
        on
            reviews.insert_date = purchases.insert_date
            and reviews.customer_id = purchases.customer_id

),

-- Every review gets the whole quotient; the remainder goes unit by unit to the first reviews.
shared as (

    select
        *,
        money_sign * (
            {{ integer_quotient('total_units', 'customer_shares') }} * share_count
            + least(shares_before + share_count, mod(total_units, customer_shares))
            - least(shares_before, mod(total_units, customer_shares))
        ) as share_units
    from joined

),

final as (

    select
        {{ surrogate_key(slice) }} as id_fact_movie_analytics,
        customer_id,
        {{ dimension_keys | join(',\n        ') }},
        cast(
            cast(share_units as decimal(18, 0)) * cast('0.00001' as decimal(6, 5)) as decimal(18, 5)
        ) as amount_spent,
        review_score,
        review_count,
        insert_date
    from shared

)

select * from final
