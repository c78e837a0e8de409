select
    dim_location.region,
    sum(fact.review_count) as review_count,
    sum(fact.review_score) as review_score
from {{ ref('fact_movie_analytics') }} as fact
inner join {{ ref('dim_location') }} as dim_location
    on fact.id_dim_location = dim_location.id_dim_location
where fact.review_count > 0
group by dim_location.region
order by dim_location.region
