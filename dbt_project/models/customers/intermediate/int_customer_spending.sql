with

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

int_customer_invoice as (

    select * from {{ ref('int_customer_invoice') }}

),

dated_invoices as (

    select
        int_customer_invoice.*,
        {{ dbt.datediff(
            'int_customer_invoice.invoice_date', 'int_as_of_date.as_of_date', 'day'
        ) }} as days_ago
    from int_customer_invoice
    cross join int_as_of_date

),

spending as (

    select
        customer_id,
        min(invoice_date) as first_invoice_date,
        max(invoice_date) as last_invoice_date,
        min(days_ago) as days_since_last_invoice,
        sum(gross_amount) as gross_amount,
        sum(return_amount) as return_amount,
        sum(amount_spent) as amount_spent,
        sum(case when gross_amount > 0 then 1 else 0 end) as order_count,
        sum(case when return_amount > 0 then 1 else 0 end) as return_count,
        sum(item_count) as item_count,
        sum(case when days_ago between 0 and 29 then amount_spent else 0 end) as amount_spent_30_days,
        sum(case when days_ago between 0 and 89 then amount_spent else 0 end) as amount_spent_90_days,
        sum(case when days_ago between 0 and 364 then amount_spent else 0 end) as amount_spent_365_days
    from dated_invoices
    group by customer_id

),

halved as (

    select
        customer_id,
        {{ quantile('amount_spent', 2) }} as money_half
    from spending

),

orders_by_size as (

    select
        customer_id,
        gross_amount,
        row_number() over (partition by customer_id order by gross_amount, invoice_number) as place,
        count(*) over (partition by customer_id) as number_of_orders
    from int_customer_invoice
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
        cast(spending.days_since_last_invoice as {{ dbt.type_int() }}) as days_since_last_invoice,
        cast(spending.gross_amount as decimal(18, 5)) as gross_amount,
        cast(spending.return_amount as decimal(18, 5)) as return_amount,
        cast(spending.amount_spent as decimal(18, 5)) as amount_spent,
        {{ rounded_quotient('spending.return_amount', 'spending.gross_amount') }} as return_rate,
        cast(spending.order_count as {{ dbt.type_bigint() }}) as order_count,
        cast(spending.return_count as {{ dbt.type_bigint() }}) as return_count,
        cast(spending.item_count as {{ dbt.type_bigint() }}) as item_count,
        {{ rounded_quotient('spending.gross_amount', 'spending.order_count') }} as average_basket,
        {{ rounded_quotient('middle_orders.gross_amount', 'middle_orders.number_of_orders') }} as median_basket,
        cast(spending.amount_spent_30_days as decimal(18, 5)) as amount_spent_30_days,
        cast(spending.amount_spent_90_days as decimal(18, 5)) as amount_spent_90_days,
        cast(spending.amount_spent_365_days as decimal(18, 5)) as amount_spent_365_days,
        halved.money_half = 2 as is_big_spender
    from spending
    inner join halved
        on spending.customer_id = halved.customer_id
    left join middle_orders
        on spending.customer_id = middle_orders.customer_id

)

select * from final
