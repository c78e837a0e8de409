-- Customers and their net money by the shop's country. Countries of fewer than 5 customers are together, so that none
-- tells what one of them spent; if these are fewer than 5 in all, with the next smallest, so that nobody is left out.
with

customers as (

    select
        coalesce(country, {{ text_literal('Unknown') }}) as country,
        amount_spent
    from {{ ref('user_profile') }}

),

countries as (

    select
        country,
        count(*) as customer_count,
        sum(amount_spent) as amount_spent
    from customers
    group by country

),

ranked as (

    select
        country,
        customer_count,
        amount_spent,
        sum(customer_count) over (
            order by customer_count, country
            rows between unbounded preceding and current row
        ) - customer_count as customers_of_smaller
    from countries

),

merged as (

    select
        case
            when customer_count < 5 or customers_of_smaller between 1 and 4
                then {{ text_literal('Other (small countries)') }}
            else country
        end as country,
        customer_count,
        amount_spent
    from ranked

),

summed as (

    select
        country,
        sum(customer_count) as customer_count,
        sum(amount_spent) as amount_spent
    from merged
    group by country

)

select * from summed
where customer_count >= 5
order by customer_count desc, country asc
