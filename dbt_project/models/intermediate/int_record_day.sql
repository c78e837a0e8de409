{{ config(
    unique_key=['table_name', 'record_id', 'insert_date'],
    sort='record_id',
    cluster_by='record_id'
) }}

with

int_review as (

    select * from {{ ref('int_review') }}
    where {{ is_day_of_run('insert_date') }} and copy_number = 1

),

int_log as (

    select * from {{ ref('int_log') }}
    where {{ is_day_of_run('insert_date') }} and copy_number = 1

),

final as (

    select
        {{ text_literal('classified_movie_review') }} as table_name,
        review_id as record_id,
        insert_date
    from int_review

    union all

    select
        {{ text_literal('review_logs') }} as table_name,
        log_id as record_id,
        insert_date
    from int_log

)

select * from final
