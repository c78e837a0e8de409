with

customers_with_an_order as (

    select * from {{ ref('int_customer_standing') }}
    where order_count > 0

),

scored as (

    select
        as_of_date,
        customer_id,
        {{ quantile('last_order_date', 5, partition_by='as_of_date') }} as recency_score,
        {{ quantile('order_count', 5, partition_by='as_of_date') }} as frequency_score,
        {{ quantile('amount_spent', 5, partition_by='as_of_date') }} as monetary_score
    from customers_with_an_order

),

final as (

    select
        as_of_date,
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
