with

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

int_customer_invoice as (

    select * from {{ ref('int_customer_invoice') }}

),

-- 0 to 1,200: a hundred years of months.
month_numbers as (

    select generated_number - 1 as month_number
    from ({{ dbt.generate_series(1201) }}) as numbers

),

customers as (

    select
        customer_id,
        cast({{ dbt.date_trunc('month', 'min(invoice_date)') }} as date) as first_month
    from int_customer_invoice
    where gross_amount > 0
    group by customer_id

),

cohorts as (

    select
        customers.first_month,
        {{ dbt.datediff(
            'customers.first_month', 'int_as_of_date.as_of_date', 'month'
        ) }} as last_month_number,
        count(*) as number_of_customers
    from customers
    cross join int_as_of_date
    group by customers.first_month, int_as_of_date.as_of_date

),

invoices as (

    select
        customers.first_month,
        int_customer_invoice.customer_id,
        int_customer_invoice.gross_amount,
        int_customer_invoice.amount_spent,
        {{ dbt.datediff(
            'customers.first_month', 'int_customer_invoice.invoice_date', 'month'
        ) }} as month_number
    from int_customer_invoice
    inner join customers
        on int_customer_invoice.customer_id = customers.customer_id

),

months_with_invoices as (

    select
        first_month,
        month_number,
        count(distinct case when gross_amount > 0 then customer_id end) as number_of_active_customers,
        sum(amount_spent) as amount_spent
    from invoices
    group by first_month, month_number

),

-- Every month up to the as-of date, also one in which no one came back.
grid as (

    select
        cohorts.first_month,
        cohorts.number_of_customers,
        month_numbers.month_number
    from cohorts
    inner join month_numbers
        on cohorts.last_month_number >= month_numbers.month_number

),

final as (

    select
        grid.first_month as cohort_month,
        cast(grid.month_number as {{ dbt.type_int() }}) as months_since_first,
        cast(grid.number_of_customers as {{ dbt.type_bigint() }}) as customer_count,
        cast(coalesce(months_with_invoices.number_of_active_customers, 0) as {{ dbt.type_bigint() }})
            as active_customer_count,
        cast(
            {{ rounded_quotient(
                'coalesce(months_with_invoices.number_of_active_customers, 0)', 'grid.number_of_customers'
            ) }} as decimal(9, 5)
        ) as retention,
        cast(coalesce(months_with_invoices.amount_spent, 0) as decimal(18, 5)) as amount_spent
    from grid
    left join months_with_invoices
        on
            grid.first_month = months_with_invoices.first_month
            and grid.month_number = months_with_invoices.month_number

)

select * from final
