-- What are the states with more and fewer reviews in 2021? Several if they tie; by the day in the log.
with

reviews as (

    select
        dim_location.location,
        sum(fact.review_count) as review_count
    from {{ ref('fact_movie_analytics') }} as fact
    inner join {{ ref('dim_location') }} as dim_location
        on fact.id_dim_location = dim_location.id_dim_location
    inner join {{ ref('dim_date') }} as dim_date
        on fact.id_dim_date = dim_date.id_dim_date
    where
        dim_date.year = 2021
        and dim_location.region <> 'Unknown'
        and fact.review_count > 0
    group by dim_location.location

),

ranked as (

    select
        location,
        review_count,
        rank() over (order by review_count desc) as place_from_most,
        rank() over (order by review_count) as place_from_fewest
    from reviews

)

select
    case when place_from_most = 1 then 'most' else 'fewest' end as answer,
    location,
    review_count
from ranked
where place_from_most = 1 or place_from_fewest = 1
order by review_count desc, location asc
