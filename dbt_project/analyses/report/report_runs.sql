-- Each run of dbt, from the last back; several nodes run at a time, so that the seconds are more than the clock's.
select
    invocation_id,
    run_started_at,
    from_date,
    to_date,
    sum(case when resource_type = 'test' then 0 else 1 end) as tables_built,
    sum(case when resource_type = 'test' then 1 else 0 end) as tests_run,
    sum(case when resource_type = 'test' then 0 else seconds end) as table_seconds,
    sum(case when resource_type = 'test' then seconds else 0 end) as test_seconds,
    sum(bytes_processed) as bytes_processed
from {{ source('audit', 'run_result') }}
where resource_type <> 'unit_test'
group by invocation_id, run_started_at, from_date, to_date
order by run_started_at desc, invocation_id asc
