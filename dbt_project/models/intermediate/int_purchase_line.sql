{{ config(
    partition_by=partition_by_insert_date(),
    sort='insert_date',
    cluster_by='customer_id'
) }}

with

stg_user_purchase as (

    select * from {{ ref('stg_user_purchase') }}
    where {{ is_day_of_run('insert_date') }} and customer_id is not null

),

final as (

    select
        insert_date,
        customer_id,
        invoice_number,
        stock_code,
        country,
        invoiced_at,
        quantity,
        amount
    from stg_user_purchase

)

select * from final
