select
    dim_devices.device,
    sum(fact.review_count) as review_count,
    sum(fact.review_score) as review_score
from {{ ref('fact_movie_analytics') }} as fact
inner join {{ ref('dim_devices') }} as dim_devices
    on fact.id_dim_devices = dim_devices.id_dim_devices
where fact.review_count > 0
group by dim_devices.device
order by review_count desc, dim_devices.device asc
