-- Which location has more reviews from a computer in a Chrome browser? Several if they tie.
-- The browser is derived from the operating system if the log names none.
with

reviews as (

    select
        dim_location.location,
        sum(fact.review_count) as review_count
    from {{ ref('fact_movie_analytics') }} as fact
    inner join {{ ref('dim_location') }} as dim_location
        on fact.id_dim_location = dim_location.id_dim_location
    inner join {{ ref('dim_devices') }} as dim_devices
        on fact.id_dim_devices = dim_devices.id_dim_devices
    inner join {{ ref('dim_browser') }} as dim_browser
        on fact.id_dim_browser = dim_browser.id_dim_browser
    where
        dim_devices.device = 'Computer'
        and dim_browser.browser = 'Chrome'
        and fact.id_dim_location <> -1
        and fact.review_count > 0
    group by dim_location.location

),

ranked as (

    select
        location,
        review_count,
        rank() over (order by review_count desc) as place
    from reviews

)

select
    location,
    review_count
from ranked
where place = 1
order by location
