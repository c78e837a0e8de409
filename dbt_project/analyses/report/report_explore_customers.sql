-- Customers by what the page Explore filters by; the place and the device are those that a customer writes from most.
-- Counts only, and of all customers: those of a state or a segment add up to all with a profile. No money, which the
-- smallest groups would tell of one customer.
with

customers as (

    select
        favourite_location,
        favourite_device,
        rfm_segment,
        {{ spend_group() }} as spend
    from {{ ref('user_profile') }}

),

labelled as (

    select
        coalesce(dim_location.region, {{ text_literal('Unknown') }}) as region,
        coalesce(customers.favourite_location, {{ text_literal('Unknown') }}) as location,
        coalesce(customers.favourite_device, {{ text_literal('Unknown') }}) as device,
        customers.rfm_segment as segment,
        customers.spend
    from customers
    left join {{ ref('dim_location') }} as dim_location
        on customers.favourite_location = dim_location.location

)

select
    region,
    location,
    device,
    segment,
    spend,
    count(*) as customer_count
from labelled
group by region, location, device, segment, spend
