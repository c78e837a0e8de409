-- Customers and their net money by the shop's country. Countries of fewer than 5 customers are together, so that none
-- tells what one of them spent; if these are fewer than 5 in all, they are left out.
with

customers as (

    select
        coalesce(country, {{ text_literal('Unknown') }}) as country,
        amount_spent
    from {{ ref('user_profile') }}

),

sized as (

    select
        country,
        amount_spent,
        count(*) over (partition by country) as country_size
    from customers

),

merged as (

    select
        case
            when country_size < 5 then {{ text_literal('Other (fewer than 5 each)') }}
            else country
        end as country,
        amount_spent
    from sized

)

select
    country,
    count(*) as customer_count,
    sum(amount_spent) as amount_spent
from merged
group by country
having count(*) >= 5
order by customer_count desc, country asc
