with

int_customer_invoice as (

    select * from {{ ref('int_customer_invoice') }}

),

customers_with_an_order as (

    select
        customer_id,
        max(case when gross_amount > 0 then invoice_date end) as last_order_date,
        sum(case when gross_amount > 0 then 1 else 0 end) as order_count,
        sum(amount_spent) as amount_spent
    from int_customer_invoice
    group by customer_id
    having sum(case when gross_amount > 0 then 1 else 0 end) > 0

),

scored as (

    select
        customer_id,
        {{ quantile('last_order_date', 5) }} as recency_score,
        {{ quantile('order_count', 5) }} as frequency_score,
        {{ quantile('amount_spent', 5) }} as monetary_score
    from customers_with_an_order

),

final as (

    select
        customer_id,
        recency_score,
        frequency_score,
        monetary_score,
        cast(
            {{ integer_quotient('frequency_score + monetary_score + 1', '2') }} as {{ dbt.type_int() }}
        ) as value_score
    from scored

)

select * from final
