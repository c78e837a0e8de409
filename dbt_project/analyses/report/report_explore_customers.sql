-- Customers and their money by what the page Explore filters by; the place and the device are those that a customer
-- writes from most.
with

customers as (

    select
        coalesce(dim_location.region, {{ text_literal('Unknown') }}) as region,
        coalesce(user_profile.favourite_location, {{ text_literal('Unknown') }}) as location,
        coalesce(user_profile.favourite_device, {{ text_literal('Unknown') }}) as device,
        user_profile.rfm_segment as segment,
        case
            when user_profile.spend_sentiment_quadrant like 'big spender%' then {{ text_literal('Big spender') }}
            when user_profile.spend_sentiment_quadrant like 'small spender%' then {{ text_literal('Small spender') }}
            when user_profile.invoice_count > 0 then {{ text_literal('Bought, never wrote') }}
            else {{ text_literal('No purchase') }}
        end as spend,
        user_profile.amount_spent
    from {{ ref('user_profile') }} as user_profile
    left join {{ ref('dim_location') }} as dim_location
        on user_profile.favourite_location = dim_location.location

)

select
    region,
    location,
    device,
    segment,
    spend,
    count(*) as customer_count,
    sum(amount_spent) as amount_spent
from customers
group by region, location, device, segment, spend
