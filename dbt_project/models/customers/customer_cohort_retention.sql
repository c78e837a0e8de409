with

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

-- What is known of the shop: nothing before its first day, nothing after its last.
known as (

    select
        cast({{ dbt.date_trunc('month', 'min(invoice_date)') }} as date) as first_month,
        max(invoice_date) as last_day
    from int_customer_invoice

),

cohorts as (

    select
        customers.first_month,
        customers.first_month = known.first_month as is_left_censored,
        {{ dbt.datediff(
            'customers.first_month', 'known.last_day', 'month'
        ) }} as last_month_number,
        -- Over, if the last day is the month's last.
        known.last_day = cast({{ dbt.last_day('known.last_day', 'month') }} as date) as is_last_month_complete,
        count(*) as number_of_customers
    from customers
    cross join known
    group by customers.first_month, known.first_month, known.last_day

),

months_of_customers as (

    select
        customers.first_month,
        invoices.customer_id,
        invoices.gross_amount,
        invoices.amount_spent,
        {{ dbt.datediff(
            'customers.first_month', 'invoices.invoice_date', 'month'
        ) }} as month_number
    from int_customer_invoice as invoices
    inner join customers
        on invoices.customer_id = customers.customer_id

),

active_months as (

    select
        first_month,
        month_number,
        count(distinct case when gross_amount > 0 then customer_id end) as number_of_active_customers,
        sum(case when gross_amount > 0 then 1 else 0 end) as number_of_orders,
        sum(amount_spent) as amount_spent
    from months_of_customers
    group by first_month, month_number

),

-- Every month up to the last that is known, also one in which no one came back.
grid as (

    select
        cohorts.first_month,
        cohorts.number_of_customers,
        cohorts.is_left_censored,
        month_numbers.month_number,
        month_numbers.month_number < cohorts.last_month_number or cohorts.is_last_month_complete as is_complete
    from cohorts
    inner join month_numbers
        on cohorts.last_month_number >= month_numbers.month_number

),

final as (

    select
        grid.first_month as cohort_month,
        cast(grid.month_number as {{ dbt.type_int() }}) as months_since_first,
        grid.is_complete,
        grid.is_left_censored,
        cast(grid.number_of_customers as {{ dbt.type_bigint() }}) as customer_count,
        cast(coalesce(active_months.number_of_active_customers, 0) as {{ dbt.type_bigint() }})
            as active_customer_count,
        cast(
            {{ rounded_quotient(
                'coalesce(active_months.number_of_active_customers, 0)', 'grid.number_of_customers'
            ) }} as decimal(9, 5)
        ) as retention,
        cast(coalesce(active_months.amount_spent, 0) as decimal(18, 5)) as amount_spent,
        cast(coalesce(active_months.number_of_orders, 0) as {{ dbt.type_bigint() }}) as order_count
    from grid
    left join active_months
        on
            grid.first_month = active_months.first_month
            and grid.month_number = active_months.month_number

)

select * from final
