-- Which device is the most used to write reviews in the east and which one in the west? Those in place 1, several if
-- they tie, and what comes next. West is the Census region West, east all other states; the four Census regions are
-- ranked as well.
with

reviews as (

    select
        dim_location.coast,
        dim_location.region,
        dim_devices.device,
        fact.review_count
    from {{ ref('fact_movie_analytics') }} as fact
    inner join {{ ref('dim_location') }} as dim_location
        on fact.id_dim_location = dim_location.id_dim_location
    inner join {{ ref('dim_devices') }} as dim_devices
        on fact.id_dim_devices = dim_devices.id_dim_devices
    where
        dim_location.region <> 'Unknown'
        and fact.id_dim_devices <> -1
        and fact.review_count > 0

),

by_area as (

    select
        {{ text_literal('coast') }} as kind_of_area,
        coast as area,
        device,
        sum(review_count) as review_count
    from reviews
    group by coast, device

    union all

    select
        {{ text_literal('region') }} as kind_of_area,
        region as area,
        device,
        sum(review_count) as review_count
    from reviews
    group by region, device

),

final as (

    select
        kind_of_area,
        area,
        device,
        review_count,
        rank() over (partition by kind_of_area, area order by review_count desc) as place
    from by_area

)

select * from final
order by kind_of_area, area, place, device
