{{ config(dist='customer_id', sort='customer_id', cluster_by='customer_id') }}

{%- set favourites = ['device', 'os', 'browser', 'location', 'region', 'season', 'weekday'] %}

with

int_touched_review as (

    select * from {{ ref('int_touched_review') }}

),

dim_date as (

    select * from {{ ref('dim_date') }}
    where id_dim_date <> -1

),

dim_devices as (

    select * from {{ ref('dim_devices') }}
    where id_dim_devices <> -1

),

dim_location as (

    select * from {{ ref('dim_location') }}
    where id_dim_location <> -1

),

dim_os as (

    select * from {{ ref('dim_os') }}
    where id_dim_os <> -1

),

dim_browser as (

    select * from {{ ref('dim_browser') }}
    where id_dim_browser <> -1

),

-- The unknown members are left out, so that their reviews have nulls here.
named as (

    select
        reviews.customer_id,
        -- By its log: of a delivery with the logs of months, all reviews have one review_date.
        coalesce(dim_date.log_date, reviews.review_date) as used_on,
        dim_devices.device,
        dim_os.os,
        dim_browser.browser,
        dim_location.location,
        case when dim_location.region <> 'Unknown' then dim_location.region end as region,
        dim_date.season,
        dim_date.day_name as weekday
    from int_touched_review as reviews
    left join dim_date
        on reviews.id_dim_date = dim_date.id_dim_date
    left join dim_devices
        on reviews.id_dim_devices = dim_devices.id_dim_devices
    left join dim_location
        on reviews.id_dim_location = dim_location.id_dim_location
    left join dim_os
        on reviews.id_dim_os = dim_os.id_dim_os
    left join dim_browser
        on reviews.id_dim_browser = dim_browser.id_dim_browser

),

counted as (

    {% for favourite in favourites -%}
    select
        customer_id,
        {{ text_literal(favourite) }} as kind,
        {{ favourite }} as choice,
        count(*) as times_used,
        max(used_on) as last_used
    from named
    where {{ favourite }} is not null
    group by customer_id, {{ favourite }}
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}

),

ranked as (

    select
        customer_id,
        kind,
        choice,
        times_used,
        row_number() over (
            partition by customer_id, kind
            order by times_used desc, last_used desc, choice asc
        ) as place
    from counted

),

final as (

    select
        customer_id,
        {%- for favourite in favourites %}
        max(case when kind = '{{ favourite }}' and place = 1 then choice end) as favourite_{{ favourite }},
        cast(
            max(case when kind = '{{ favourite }}' and place = 1 then times_used end) as {{ dbt.type_bigint() }}
        ) as favourite_{{ favourite }}_reviews,
        {%- endfor %}
        cast(sum(case when kind = 'device' then 1 else 0 end) as {{ dbt.type_bigint() }}) as device_count,
        cast(sum(case when kind = 'location' then 1 else 0 end) as {{ dbt.type_bigint() }}) as location_count
    from ranked
    group by customer_id

)

select * from final
