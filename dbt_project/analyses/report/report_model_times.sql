-- Each model's last run, beside its mean over all of them.
with

results as (

    select
        unique_id,
        node_name,
        resource_type,
        status,
        seconds,
        rows_affected,
        bytes_processed,
        run_started_at,
        row_number() over (
            partition by unique_id
            order by run_started_at desc, invocation_id desc
        ) as recency
    from {{ source('audit', 'run_result') }}
    where resource_type in ('model', 'seed', 'snapshot') and status <> 'skipped'

)

select
    node_name,
    resource_type,
    max(case when recency = 1 then run_started_at end) as last_run_at,
    max(case when recency = 1 then status end) as last_status,
    max(case when recency = 1 then seconds end) as last_seconds,
    avg(seconds) as mean_seconds,
    count(*) as run_count,
    max(case when recency = 1 then rows_affected end) as last_rows_affected,
    max(case when recency = 1 then bytes_processed end) as last_bytes_processed
from results
group by unique_id, node_name, resource_type
order by last_seconds desc, node_name asc
