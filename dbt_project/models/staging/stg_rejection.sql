with

source as (

    {{ committed_rows('rejection') }}

),

renamed as (

    select
        insert_date,
        table_name,
        reason as rejection_reason,
        records as rejected_records
    from source

)

select * from renamed
