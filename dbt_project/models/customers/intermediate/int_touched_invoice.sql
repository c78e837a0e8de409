{{ config(dist='customer_id', sort='customer_id') }}

with

int_touched_line as (

    select * from {{ ref('int_touched_line') }}

),

final as (

    select
        customer_id,
        invoice_number,
        min(invoiced_at) as first_line_at,
        max(invoiced_at) as last_line_at,
        cast(min(invoiced_at) as date) as invoice_date,
        cast(sum(case when amount > 0 then amount else 0 end) as decimal(18, 5)) as gross_amount,
        cast(sum(case when amount < 0 and is_article then -amount else 0 end) as decimal(18, 5)) as return_amount,
        cast(sum(case when amount < 0 and not is_article then -amount else 0 end) as decimal(18, 5))
            as other_credit_amount,
        cast(sum(amount) as decimal(18, 5)) as amount_spent,
        cast(sum(case when amount > 0 and is_article then quantity else 0 end) as {{ dbt.type_bigint() }})
            as item_count,
        cast(count(*) as {{ dbt.type_bigint() }}) as line_count
    from int_touched_line
    group by customer_id, invoice_number

)

select * from final
