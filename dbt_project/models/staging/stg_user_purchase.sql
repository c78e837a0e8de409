with

source as (

    {{ committed_rows('user_purchase') }}

),

renamed as (

    select
        insert_date,
        invoice_number,
        stock_code,
        detail,
        quantity,
        invoice_date as invoiced_at,
        unit_price,
        customer_id,
        country,
        -- Without a quantity or a price a line moves no money; it still counts as a line.
        cast(
            coalesce(cast(quantity as decimal(10, 0)) * unit_price, 0) as decimal(18, 5)
        ) as amount
    from source

)

select * from renamed
