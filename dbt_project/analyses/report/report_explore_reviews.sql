-- Reviews by everything that the page Explore filters by. Of more than explore_rows rows the latest days that fit, each
-- whole; reviews without a log, and so without a day, are always here.
with

day_classifier as (

    select
        insert_date,
        case
            when count(*) = 1 then max(classifier || ' ' || classifier_version)
            else {{ text_literal('Several') }}
        end as classifier
    from {{ ref('ledger_classifier') }}
    group by insert_date

),

customers as (

    select
        customer_id,
        rfm_segment,
        {{ spend_group() }} as spend
    from {{ ref('user_profile') }}

),

labelled as (

    select
        dim_date.log_date,
        dim_location.region,
        dim_location.location,
        dim_devices.device,
        dim_os.os,
        dim_browser.browser,
        coalesce(customers.rfm_segment, {{ text_literal('Unknown') }}) as segment,
        coalesce(customers.spend, {{ text_literal('Unknown') }}) as spend,
        coalesce(day_classifier.classifier, {{ text_literal('Unknown') }}) as classifier,
        fact.review_count,
        fact.review_score
    from {{ ref('fact_movie_analytics') }} as fact
    inner join {{ ref('dim_date') }} as dim_date
        on fact.id_dim_date = dim_date.id_dim_date
    inner join {{ ref('dim_location') }} as dim_location
        on fact.id_dim_location = dim_location.id_dim_location
    inner join {{ ref('dim_devices') }} as dim_devices
        on fact.id_dim_devices = dim_devices.id_dim_devices
    inner join {{ ref('dim_os') }} as dim_os
        on fact.id_dim_os = dim_os.id_dim_os
    inner join {{ ref('dim_browser') }} as dim_browser
        on fact.id_dim_browser = dim_browser.id_dim_browser
    left join customers
        on fact.customer_id = customers.customer_id
    left join day_classifier
        on fact.insert_date = day_classifier.insert_date
    where fact.review_count > 0

),

reviews as (

    select
        log_date,
        region,
        location,
        device,
        os,
        browser,
        segment,
        spend,
        classifier,
        sum(review_count) as review_count,
        sum(review_score) as review_score
    from labelled
    group by log_date, region, location, device, os, browser, segment, spend, classifier

),

days as (

    select
        log_date,
        count(*) as row_count
    from reviews
    where log_date is not null
    group by log_date

),

running_days as (

    select
        log_date,
        sum(row_count) over (
            order by log_date desc
            rows between unbounded preceding and current row
        ) as rows_since
    from days

)

select reviews.*
from reviews
left join running_days
    on reviews.log_date = running_days.log_date
where reviews.log_date is null or running_days.rows_since <= {{ var('explore_rows') }}
