{{ config(partition_by=partition_by_insert_date(), sort='insert_date') }}

with

stg_delivery as (

    select * from {{ ref('stg_delivery') }}
    -- which is made of the records of classified_movie_review
    where table_name <> 'other_classification' and {{ is_day_of_run('insert_date') }}

),

stg_rejection as (

    select * from {{ ref('stg_rejection') }}
    where {{ is_day_of_run('insert_date') }}

),

rejections as (

    select
        insert_date,
        table_name,
        cast(sum(rejected_records) as {{ dbt.type_bigint() }}) as records_quarantined
    from stg_rejection
    group by insert_date, table_name

),

final as (

    select
        stg_delivery.insert_date,
        stg_delivery.table_name,
        stg_delivery.is_delivered,
        stg_delivery.file_count,
        stg_delivery.records_delivered,
        coalesce(rejections.records_quarantined, 0) as records_quarantined
    from stg_delivery
    left join rejections
        on
            stg_delivery.insert_date = rejections.insert_date
            and stg_delivery.table_name = rejections.table_name

)

select * from final
