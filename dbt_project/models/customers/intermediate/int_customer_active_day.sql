{{ config(
    partition_by=partition_by_month('active_date'), dist='customer_id', sort='active_date', cluster_by='customer_id'
) }}

with

int_touched_invoice as (

    select * from {{ ref('int_touched_invoice') }}
    where {{ is_active_day_touched('invoice_date') }}

),

int_touched_review as (

    select * from {{ ref('int_touched_review') }}
    where {{ is_active_day_touched('review_date') }}

),

activity as (

    select
        customer_id,
        invoice_date as active_date,
        1 as invoice_count,
        case when gross_amount > 0 then 1 else 0 end as order_count,
        amount_spent,
        0 as review_count,
        0 as review_score
    from int_touched_invoice

    union all

    select
        customer_id,
        review_date as active_date,
        0 as invoice_count,
        0 as order_count,
        cast(0 as decimal(18, 5)) as amount_spent,
        1 as review_count,
        positive_review as review_score
    from int_touched_review

),

final as (

    select
        customer_id,
        active_date,
        cast(sum(invoice_count) as {{ dbt.type_bigint() }}) as invoice_count,
        cast(sum(order_count) as {{ dbt.type_bigint() }}) as order_count,
        cast(sum(amount_spent) as decimal(18, 5)) as amount_spent,
        cast(sum(review_count) as {{ dbt.type_bigint() }}) as review_count,
        cast(sum(review_score) as {{ dbt.type_bigint() }}) as review_score
    from activity
    group by customer_id, active_date

)

select * from final
