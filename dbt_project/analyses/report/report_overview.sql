-- One row, since profiles are as of one day; none without a customer.
select
    as_of_date,
    min(first_invoice_date) as first_invoice_date,
    max(last_invoice_date) as last_invoice_date,
    min(first_order_date) as first_order_date,
    max(last_order_date) as last_order_date,
    min(first_review_date) as first_review_date,
    max(last_review_date) as last_review_date,
    sum(amount_spent) as amount_spent,
    sum(invoice_count) as invoice_count,
    sum(case when invoice_count > 0 then 1 else 0 end) as invoiced_customer_count,
    sum(order_count) as order_count,
    sum(case when order_count > 0 then 1 else 0 end) as ordering_customer_count,
    sum(review_count) as review_count,
    sum(case when review_count > 0 then 1 else 0 end) as reviewer_count
from {{ ref('user_profile') }}
group by as_of_date
