-- How many reviews were done in California, New York and Texas?
select
    dim_location.location,
    sum(fact.review_count) as review_count
from {{ ref('fact_movie_analytics') }} as fact
inner join {{ ref('dim_location') }} as dim_location
    on fact.id_dim_location = dim_location.id_dim_location
where
    dim_location.location in ('California', 'New York', 'Texas')
    and fact.review_count > 0
group by dim_location.location
order by dim_location.location
