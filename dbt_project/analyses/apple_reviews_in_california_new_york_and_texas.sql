-- How many reviews were done in California, New York and Texas with an Apple device? And how many for each device type?
-- An Apple device runs an operating system of Apple's.
select
    dim_location.location,
    dim_devices.device,
    sum(fact.review_count) as review_count,
    sum(case when dim_os.vendor = 'Apple' then fact.review_count else 0 end) as apple_review_count
from {{ ref('fact_movie_analytics') }} as fact
inner join {{ ref('dim_location') }} as dim_location
    on fact.id_dim_location = dim_location.id_dim_location
inner join {{ ref('dim_devices') }} as dim_devices
    on fact.id_dim_devices = dim_devices.id_dim_devices
inner join {{ ref('dim_os') }} as dim_os
    on fact.id_dim_os = dim_os.id_dim_os
where
    dim_location.location in ('California', 'New York', 'Texas')
    and fact.review_count > 0
group by dim_location.location, dim_devices.device
order by dim_location.location, dim_devices.device
