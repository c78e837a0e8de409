{{ config(dist='customer_id', sort='customer_id') }}

with

int_purchase_line as (

    select * from {{ ref('int_purchase_line') }}
    where {{ is_customer_touched('customer_id') }}

),

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

non_product_code as (

    select * from {{ ref('non_product_code') }}

),

final as (

    select
        purchase_lines.insert_date,
        purchase_lines.customer_id,
        purchase_lines.invoice_number,
        purchase_lines.stock_code,
        purchase_lines.country,
        purchase_lines.invoiced_at,
        purchase_lines.quantity,
        purchase_lines.amount,
        non_product_code.stock_code is null as is_article
    from int_purchase_line as purchase_lines
    inner join int_as_of_date
        on cast(purchase_lines.invoiced_at as date) <= int_as_of_date.as_of_date
    left join non_product_code
        on upper(purchase_lines.stock_code) = non_product_code.stock_code

)

select * from final
