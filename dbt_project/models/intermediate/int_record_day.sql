{{ config(partition_by=partition_by_insert_date(), sort='insert_date', cluster_by='record_id') }}

with

int_review as (

    select * from {{ ref('int_review') }}
    where {{ is_day_of_run('insert_date') }}

),

int_log as (

    select * from {{ ref('int_log') }}
    where {{ is_day_of_run('insert_date') }}

),

record_days as (

    select
        review_id as record_id,
        insert_date
    from int_review

    union all

    select
        log_id as record_id,
        insert_date
    from int_log

    {%- if is_incremental() %}

    union all

    -- What earlier runs of these days had, until a run has built everything without it (forget_removed_records).
    select
        record_id,
        insert_date
    from {{ this }}
    where {{ is_day_of_run('insert_date') }}

    {%- endif %}

),

final as (

    select distinct
        record_id,
        insert_date
    from record_days

)

select * from final
