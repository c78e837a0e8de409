-- Customers and their money by what the page Explore filters by; the place and the device are those that a customer
-- writes from most.
--
-- No row is of fewer than 5 customers, so that none tells what one of them spent. Those of smaller groups become 'Other
-- (fewer than 5)' in one dimension after the other, until with others like them they are 5: the device, then the state,
-- the region, the segment, the spend. If fewer than 5 remain in the end, they are left out.
{% set dimensions = ['region', 'location', 'device', 'segment', 'spend'] -%}
with

customers as (

    select
        coalesce(dim_location.region, {{ text_literal('Unknown') }}) as region,
        coalesce(user_profile.favourite_location, {{ text_literal('Unknown') }}) as location,
        coalesce(user_profile.favourite_device, {{ text_literal('Unknown') }}) as device,
        user_profile.rfm_segment as segment,
        {{ spend_group('user_profile') }} as spend,
        user_profile.amount_spent
    from {{ ref('user_profile') }} as user_profile
    left join {{ ref('dim_location') }} as dim_location
        on user_profile.favourite_location = dim_location.location

),

{% for merged in ['device', 'location', 'region', 'segment', 'spend'] %}
{% set before = 'customers' if loop.first else 'without_' ~ loop.previtem -%}
groups_before_{{ merged }} as (

    select
        {{ dimensions | join(', ') }},
        amount_spent,
        count(*) over (partition by {{ dimensions | join(', ') }}) as group_size
    from {{ before }}

),

without_{{ merged }} as (

    select
        {% for dimension in dimensions -%}
        {% if dimension == merged -%}
        case
            when group_size < 5 then {{ text_literal('Other (fewer than 5)') }}
            else {{ dimension }}
        end as {{ dimension }},
        {% else -%}
        {{ dimension }},
        {% endif -%}
        {% endfor -%}
        amount_spent
    from groups_before_{{ merged }}

){{ ',' if not loop.last }}
{% endfor %}
select
    {{ dimensions | join(', ') }},
    count(*) as customer_count,
    sum(amount_spent) as amount_spent
from without_spend
group by {{ dimensions | join(', ') }}
having count(*) >= 5
