select
    table_name,
    reason,
    sum(records) as rejected_records
from {{ source('staging', 'rejection') }}
group by table_name, reason
order by rejected_records desc, table_name asc, reason asc
