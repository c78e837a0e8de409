{{ config(partition_by=partition_by_insert_date(), sort='insert_date') }}

with

int_review as (

    select * from {{ ref('int_review') }}

),

int_log as (

    select * from {{ ref('int_log') }}

),

reviews_to_build as (

    select * from int_review
    where {{ is_day_to_build('insert_date') }} and copy_number = 1

),

ids_to_build as (

    select distinct review_id from reviews_to_build

),

-- A record that is delivered on several days belongs to the earliest, whatever the order of the runs.
first_review as (

    select
        int_review.review_id,
        min(int_review.insert_date) as insert_date
    from int_review
    inner join ids_to_build
        on int_review.review_id = ids_to_build.review_id
    group by int_review.review_id

),

first_log as (

    select
        int_log.log_id,
        min(int_log.insert_date) as insert_date
    from int_log
    inner join ids_to_build
        on int_log.log_id = ids_to_build.review_id
    group by int_log.log_id

),

final as (

    select
        reviews_to_build.insert_date,
        reviews_to_build.review_id,
        reviews_to_build.customer_id,
        reviews_to_build.positive_review,
        int_log.insert_date as log_insert_date,
        int_log.log_date,
        coalesce({{ date_key('int_log.log_date') }}, -1) as id_dim_date,
        {{ dimension_key('int_log.device') }} as id_dim_devices,
        {{ dimension_key('int_log.location') }} as id_dim_location,
        {{ dimension_key('int_log.os') }} as id_dim_os,
        {{ browser_key('int_log.browser', 'int_log.is_browser_derived') }} as id_dim_browser
    from reviews_to_build
    inner join first_review
        on
            reviews_to_build.review_id = first_review.review_id
            and reviews_to_build.insert_date = first_review.insert_date
    left join first_log
        on
            reviews_to_build.review_id = first_log.log_id
            and first_log.insert_date between
            reviews_to_build.insert_date
            and {{ add_days('reviews_to_build.insert_date', var('lookback_days')) }}
    left join int_log
        on
            first_log.log_id = int_log.log_id
            and first_log.insert_date = int_log.insert_date
            and int_log.copy_number = 1

)

select * from final
