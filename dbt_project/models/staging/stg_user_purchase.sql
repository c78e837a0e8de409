with

source as (

    {{ committed_rows('user_purchase') }}

),

renamed as (

    select
        insert_date,
        -- Blanks at the end do not count when Redshift compares texts: without them 'France ' is 'France' everywhere.
        rtrim(invoice_number, ' ') as invoice_number,
        rtrim(stock_code, ' ') as stock_code,
        rtrim(detail, ' ') as detail,
        quantity,
        invoice_date as invoiced_at,
        unit_price,
        customer_id,
        rtrim(country, ' ') as country,
        -- Without a quantity or a price a line moves no money; it still counts as a line.
        cast(
            coalesce(cast(quantity as decimal(10, 0)) * unit_price, 0) as decimal(18, 5)
        ) as amount
    from source

)

select * from renamed
