select
    table_name,
    rejection_reason as reason,
    sum(rejected_records) as rejected_records
from {{ ref('ledger_rejection') }}
group by table_name, rejection_reason
order by rejected_records desc, table_name asc, reason asc
