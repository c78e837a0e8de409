with

source as (

    select * from {{ source('staging', 'delivery') }}
    where {{ is_day_of_run('insert_date') }}

),

renamed as (

    select
        insert_date,
        table_name,
        run,
        is_delivered,
        file_count,
        delivered_records as records_delivered
    from source

)

select * from renamed
