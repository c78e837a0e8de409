{{ config(dist='customer_id', sort='customer_id', cluster_by='customer_id') }}

with

int_touched_invoice as (

    select * from {{ ref('int_touched_invoice') }}

),

spending as (

    select
        customer_id,
        min(invoice_date) as first_invoice_date,
        max(invoice_date) as last_invoice_date,
        min(case when gross_amount > 0 then invoice_date end) as first_order_date,
        max(case when gross_amount > 0 then invoice_date end) as last_order_date,
        sum(gross_amount) as gross_amount,
        sum(return_amount) as return_amount,
        sum(other_credit_amount) as other_credit_amount,
        sum(amount_spent) as amount_spent,
        count(*) as invoice_count,
        sum(case when gross_amount > 0 then 1 else 0 end) as order_count,
        sum(case when return_amount > 0 then 1 else 0 end) as return_count,
        sum(item_count) as item_count
    from int_touched_invoice
    group by customer_id

),

orders_by_size as (

    select
        customer_id,
        gross_amount,
        row_number() over (partition by customer_id order by gross_amount, invoice_number) as place,
        count(*) over (partition by customer_id) as number_of_orders
    from int_touched_invoice
    where gross_amount > 0

),

-- The order in the middle, or the two of an even number.
middle_orders as (

    select
        customer_id,
        sum(gross_amount) as gross_amount,
        count(*) as number_of_orders
    from orders_by_size
    where 2 * place between number_of_orders and number_of_orders + 2
    group by customer_id

),

final as (

    select
        spending.customer_id,
        spending.first_invoice_date,
        spending.last_invoice_date,
        spending.first_order_date,
        spending.last_order_date,
        cast(spending.gross_amount as decimal(18, 5)) as gross_amount,
        cast(spending.return_amount as decimal(18, 5)) as return_amount,
        cast(spending.other_credit_amount as decimal(18, 5)) as other_credit_amount,
        cast(spending.amount_spent as decimal(18, 5)) as amount_spent,
        {{ rounded_quotient('spending.return_amount', 'spending.gross_amount') }} as return_rate,
        cast(spending.invoice_count as {{ dbt.type_bigint() }}) as invoice_count,
        cast(spending.order_count as {{ dbt.type_bigint() }}) as order_count,
        cast(spending.return_count as {{ dbt.type_bigint() }}) as return_count,
        cast(spending.item_count as {{ dbt.type_bigint() }}) as item_count,
        {{ rounded_quotient('spending.gross_amount', 'spending.order_count') }} as average_basket,
        {{ rounded_quotient('middle_orders.gross_amount', 'middle_orders.number_of_orders') }} as median_basket
    from spending
    left join middle_orders
        on spending.customer_id = middle_orders.customer_id

)

select * from final
