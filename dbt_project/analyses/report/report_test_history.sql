-- Each run's data tests, from the last run back.
select
    invocation_id,
    run_started_at,
    from_date,
    to_date,
    sum(case when status = 'pass' then 1 else 0 end) as passed,
    sum(case when status = 'warn' then 1 else 0 end) as warned,
    sum(case when status in ('fail', 'error') then 1 else 0 end) as failed,
    sum(case when status not in ('pass', 'warn', 'fail', 'error') then 1 else 0 end) as not_run
from {{ source('audit', 'run_result') }}
where resource_type = 'test'
group by invocation_id, run_started_at, from_date, to_date
order by run_started_at desc, invocation_id asc
