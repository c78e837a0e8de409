-- What arrived on each day, from the last day back.
select
    insert_date,
    table_name,
    is_delivered,
    records_delivered
from {{ ref('ledger') }}
order by insert_date desc, table_name asc
