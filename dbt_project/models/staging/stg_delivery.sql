with

source as (

    select * from {{ source('staging', 'delivery') }}

),

renamed as (

    select
        insert_date,
        table_name,
        is_delivered,
        file_count,
        delivered_records as records_delivered
    from source

)

select * from renamed
