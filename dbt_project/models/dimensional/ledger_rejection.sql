{{ config(
    materialized='incremental',
    partition_by=partition_by_insert_date(),
    sort='insert_date'
) }}

with

stg_rejection as (

    select * from {{ ref('stg_rejection') }}
    where {{ is_day_of_run('insert_date') }}

),

final as (

    select
        table_name,
        insert_date,
        rejection_reason,
        rejected_records
    from stg_rejection

)

select * from final
