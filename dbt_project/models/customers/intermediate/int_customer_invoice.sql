{#-
    Written after active days, cohorts and segments: int_customer_touched asks the invoices as they were from which day on these are others, and
    must still find them when a build that died in between is repeated.
-#}
-- depends_on: {{ ref('user_segment_history') }}
-- depends_on: {{ ref('customer_cohort_retention') }}
{{ config(
    partition_by=partition_by_month('invoice_date'), dist='customer_id', sort='invoice_date', cluster_by='customer_id'
) }}

with

int_touched_invoice as (

    select * from {{ ref('int_touched_invoice') }}
    where {{ is_active_day_touched('invoice_date') }}

)

select * from int_touched_invoice
