{{ config(partition_by=partition_by_month('active_month')) }}
{%- set first_month = first_month_of_cohorts_to_build(ref('int_customer_touched'), ref('int_customer_spending')) -%}

with

int_customer_spending as (

    select * from {{ ref('int_customer_spending') }}

),

int_customer_active_day as (

    select * from {{ ref('int_customer_active_day') }}
    where active_date >= {{ first_month }}

),

-- 0 to 1,200: a hundred years of months.
month_numbers as (

    select cast(generated_number - 1 as {{ dbt.type_int() }}) as month_number
    from ({{ dbt.generate_series(1201) }}) as numbers

),

customers as (

    select
        customer_id,
        cast({{ dbt.date_trunc('month', 'first_order_date') }} as date) as first_month
    from int_customer_spending
    where first_order_date is not null

),

-- What is known of the shop: nothing before its first day, nothing after its last.
known as (

    select
        cast({{ dbt.date_trunc('month', 'min(first_invoice_date)') }} as date) as first_month,
        max(last_invoice_date) as last_day
    from int_customer_spending

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

days_with_invoices as (

    select
        customer_id,
        cast({{ dbt.date_trunc('month', 'active_date') }} as date) as active_month,
        order_count,
        amount_spent
    from int_customer_active_day
    where invoice_count > 0

),

customer_months as (

    select
        customer_id,
        active_month,
        sum(order_count) as order_count,
        sum(amount_spent) as amount_spent
    from days_with_invoices
    group by customer_id, active_month

),

active_months as (

    select
        customers.first_month,
        customer_months.active_month,
        sum(case when customer_months.order_count > 0 then 1 else 0 end) as number_of_active_customers,
        sum(customer_months.order_count) as number_of_orders,
        sum(customer_months.amount_spent) as amount_spent
    from customer_months
    inner join customers
        on customer_months.customer_id = customers.customer_id
    group by customers.first_month, customer_months.active_month

),

-- Every month up to the last that is known, also one in which no one came back.
grid as (

    select
        cohorts.first_month,
        cast({{ dbt.dateadd('month', 'month_numbers.month_number', 'cohorts.first_month') }} as date) as active_month,
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
        grid.active_month,
        grid.month_number as months_since_first,
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
            and grid.active_month = active_months.active_month
    where grid.active_month >= {{ first_month }}

)

select * from final
