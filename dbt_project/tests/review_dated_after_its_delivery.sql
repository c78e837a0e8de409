{{ config(severity='warn') }}

select
    review_id,
    insert_date,
    log_date
from {{ ref('int_attributed_review') }}
where log_date > insert_date and {{ is_day_to_build('insert_date') }}
