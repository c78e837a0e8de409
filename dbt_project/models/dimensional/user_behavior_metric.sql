{{ config(
    materialized='incremental',
    partition_by=partition_by_insert_date(),
    sort='insert_date',
    dist='customer_id',
    cluster_by='customer_id'
) }}

{%- set is_to_build = is_day_to_build('insert_date') %}

with

int_attributed_review as (

    select * from {{ ref('int_attributed_review') }}
    where {{ is_to_build }} and customer_id is not null

),

int_customer_purchase as (

    select * from {{ ref('int_customer_purchase') }}
    where {{ is_to_build }} and customer_id is not null

),

reviews as (

    select
        insert_date,
        customer_id,
        cast(sum(positive_review) as {{ dbt.type_bigint() }}) as review_score,
        cast(count(*) as {{ dbt.type_bigint() }}) as review_count
    from int_attributed_review
    group by insert_date, customer_id

),

final as (

    select
        coalesce(purchases.customer_id, reviews.customer_id) as customer_id,
        cast(coalesce(purchases.amount_spent, 0) as decimal(18, 5)) as amount_spent,
        coalesce(reviews.review_score, 0) as review_score,
        coalesce(reviews.review_count, 0) as review_count,
        coalesce(purchases.insert_date, reviews.insert_date) as insert_date
    from int_customer_purchase as purchases
    full outer join reviews
        on
            purchases.insert_date = reviews.insert_date
            and purchases.customer_id = reviews.customer_id

)

select * from final
