-- What the questions on places rank: reviews from a computer in Chrome, and reviews written in 2021, of every known
-- place.
select
    dim_location.location,
    dim_location.region,
    sum(
        case
            when dim_devices.device = 'Computer' and dim_browser.browser = 'Chrome' then fact.review_count
            else 0
        end
    ) as computer_chrome_review_count,
    sum(case when dim_date.year = 2021 then fact.review_count else 0 end) as review_count_2021
from {{ ref('fact_movie_analytics') }} as fact
inner join {{ ref('dim_location') }} as dim_location
    on fact.id_dim_location = dim_location.id_dim_location
inner join {{ ref('dim_devices') }} as dim_devices
    on fact.id_dim_devices = dim_devices.id_dim_devices
inner join {{ ref('dim_browser') }} as dim_browser
    on fact.id_dim_browser = dim_browser.id_dim_browser
inner join {{ ref('dim_date') }} as dim_date
    on fact.id_dim_date = dim_date.id_dim_date
where
    fact.id_dim_location <> -1
    and fact.review_count > 0
group by dim_location.location, dim_location.region
order by dim_location.location
