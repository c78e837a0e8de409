-- The days of each table together.
select
    table_name,
    sum(records_delivered) as records_delivered,
    sum(records_quarantined) as records_quarantined,
    sum(records_duplicate) as records_duplicate,
    sum(records_unattributable) as records_unattributable,
    sum(records_in_marts) as records_in_marts,
    sum(amount_staged) as amount_staged,
    sum(amount_unattributable) as amount_unattributable,
    sum(amount_in_marts) as amount_in_marts,
    sum(case when is_balanced then 0 else 1 end) as unbalanced_days
from {{ ref('ledger') }}
group by table_name
order by table_name
