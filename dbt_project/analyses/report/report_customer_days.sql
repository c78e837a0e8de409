-- One row: the as-of date of everything about customers.
select
    max(as_of_date) as as_of_date,
    min(first_invoice_date) as first_invoice_date,
    max(last_invoice_date) as last_invoice_date,
    min(first_review_date) as first_review_date,
    max(last_review_date) as last_review_date
from {{ ref('user_profile') }}
