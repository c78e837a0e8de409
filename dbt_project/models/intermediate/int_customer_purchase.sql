{{ config(partition_by=partition_by_insert_date(), sort='insert_date') }}

with

stg_user_purchase as (

    select * from {{ ref('stg_user_purchase') }}
    where {{ is_day_of_run('insert_date') }}

),

final as (

    select
        insert_date,
        customer_id,
        cast(sum(amount) as decimal(18, 5)) as amount_spent,
        cast(count(*) as {{ dbt.type_bigint() }}) as purchase_lines
    from stg_user_purchase
    group by insert_date, customer_id

)

select * from final
