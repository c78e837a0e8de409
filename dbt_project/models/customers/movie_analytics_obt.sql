{#-
    A customer's invoices change on rows of old days too, so it is a view: nothing is rewritten. On Redshift without schema
    binding, since the tables below it are replaced.
-#}
{{ config(materialized='view', bind=(target.type != 'redshift')) }}

with

fact_movie_analytics as (

    select * from {{ ref('fact_movie_analytics') }}

),

dim_date as (

    select * from {{ ref('dim_date') }}

),

dim_devices as (

    select * from {{ ref('dim_devices') }}

),

dim_location as (

    select * from {{ ref('dim_location') }}

),

dim_os as (

    select * from {{ ref('dim_os') }}

),

dim_browser as (

    select * from {{ ref('dim_browser') }}

),

user_profile as (

    select * from {{ ref('user_profile') }}

),

final as (

    select
        fact.id_fact_movie_analytics,
        fact.customer_id,
        fact.id_dim_date,
        fact.id_dim_devices,
        fact.id_dim_location,
        fact.id_dim_os,
        fact.id_dim_browser,
        dim_date.log_date,
        dim_date.day,
        dim_date.month,
        dim_date.year,
        dim_date.quarter,
        dim_date.season,
        dim_date.day_of_week,
        dim_date.day_name,
        dim_date.is_weekend,
        dim_devices.device,
        dim_location.location,
        dim_location.region,
        dim_location.division,
        dim_location.coast,
        dim_os.os,
        dim_os.vendor,
        dim_browser.browser,
        dim_browser.is_derived as is_browser_derived,
        user_profile.first_invoice_date,
        user_profile.last_invoice_date,
        coalesce(user_profile.invoice_count, 0) as invoice_count,
        fact.amount_spent,
        fact.review_score,
        fact.review_count,
        fact.insert_date
    from fact_movie_analytics as fact
    left join dim_date
        on fact.id_dim_date = dim_date.id_dim_date
    left join dim_devices
        on fact.id_dim_devices = dim_devices.id_dim_devices
    left join dim_location
        on fact.id_dim_location = dim_location.id_dim_location
    left join dim_os
        on fact.id_dim_os = dim_os.id_dim_os
    left join dim_browser
        on fact.id_dim_browser = dim_browser.id_dim_browser
    left join user_profile
        on fact.customer_id = user_profile.customer_id

)

select * from final
