{{ config(severity='warn') }}

select
    customer_id,
    as_of_date,
    last_invoice_date,
    last_review_date
from {{ ref('user_profile') }}
where last_invoice_date > as_of_date or last_review_date > as_of_date
