{{ config(
    partition_by=partition_by_insert_date(),
    sort='insert_date',
    cluster_by='log_id'
) }}

with

stg_review_logs as (

    select * from {{ ref('stg_review_logs') }}
    where {{ is_day_of_run('insert_date') }}

),

us_state as (

    select * from {{ ref('us_state') }}

),

misspelt_location as (

    select * from {{ ref('misspelt_location') }}

),

operating_system as (

    select * from {{ ref('operating_system') }}

),

numbered as (

    select
        *,
        row_number() over (
            partition by insert_date, log_id
            order by
                log_date asc nulls last,
                device asc nulls last,
                os asc nulls last,
                location asc nulls last,
                browser asc nulls last
        ) as copy_number
    from stg_review_logs

),

final as (

    select
        numbered.insert_date,
        numbered.log_id,
        numbered.log_date,
        numbered.device,
        -- The state's own spelling if it is known, what was delivered if it is not.
        coalesce(us_state.state, misspelt_location.state, numbered.location) as location,
        numbered.os,
        coalesce(numbered.browser, operating_system.usual_browser) as browser,
        numbered.browser is null and operating_system.usual_browser is not null as is_browser_derived,
        numbered.copy_number
    from numbered
    left join us_state
        on lower(numbered.location) = lower(us_state.state)
    left join misspelt_location
        on lower(numbered.location) = lower(misspelt_location.delivered_as)
    left join operating_system
        on lower(numbered.os) = lower(operating_system.os)

)

select * from final
