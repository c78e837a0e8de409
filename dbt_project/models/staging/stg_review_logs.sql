with

source as (

    {{ committed_rows('review_logs') }}

),

renamed as (

    select
        insert_date,
        log_id,
        log_date,
        device,
        os,
        location,
        browser,
        ip,
        phone_number,
        pseudonym_key_version
    from source

)

select * from renamed
