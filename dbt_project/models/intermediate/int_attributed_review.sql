{{ config(partition_by=partition_by_insert_date(), sort='insert_date', cluster_by='review_id') }}

{%- set is_to_build = is_day_to_build('insert_date') %}
{%- set near_ids = near_ids_of(ref('int_review'), 'review_id', is_to_build) %}

with

-- Records of every day, since the earliest that has an id may be any.
int_review as (

    select * from {{ ref('int_review') }}
    where copy_number = 1 and review_id {{ near_ids }}

),

int_log as (

    select * from {{ ref('int_log') }}
    where copy_number = 1 and log_id {{ near_ids }}

),

ids_to_build as (

    select distinct review_id from int_review
    where {{ is_to_build }}

),

numbered_reviews as (

    select
        int_review.*,
        row_number() over (partition by int_review.review_id order by int_review.insert_date) as delivery_number
    from int_review
    inner join ids_to_build
        on int_review.review_id = ids_to_build.review_id

),

-- A record that is delivered on several days belongs to the earliest, whatever the order of the runs.
first_reviews as (

    select * from numbered_reviews
    where delivery_number = 1 and {{ is_to_build }}

),

numbered_logs as (

    select
        int_log.*,
        row_number() over (partition by int_log.log_id order by int_log.insert_date) as delivery_number
    from int_log
    inner join ids_to_build
        on int_log.log_id = ids_to_build.review_id

),

final as (

    select
        first_reviews.insert_date,
        first_reviews.review_id,
        first_reviews.customer_id,
        first_reviews.positive_review,
        earliest_log.insert_date as log_insert_date,
        earliest_log.log_date,
        earliest_log.device,
        earliest_log.location,
        earliest_log.os,
        earliest_log.browser,
        coalesce(earliest_log.is_browser_derived, false) as is_browser_derived
    from first_reviews
    left join numbered_logs as earliest_log
        on
            first_reviews.review_id = earliest_log.log_id
            and earliest_log.delivery_number = 1
            and earliest_log.insert_date <= {{ add_days('first_reviews.insert_date', var('lookback_days')) }}

)

select * from final
