{{ config(partition_by=partition_by_insert_date(), sort='insert_date', dist='customer_id') }}

{%- set is_to_build = is_day_to_build('insert_date') %}

with

lines_of_day as (

    select
        insert_date,
        customer_id,
        cast(min(invoiced_at) as date) as first_active_date,
        {{ fingerprint([
            'invoice_number', 'stock_code', 'country', 'invoiced_at', 'quantity', 'amount'
        ]) }} as fingerprint
    from {{ ref('int_purchase_line') }}
    where {{ is_to_build }}
    group by insert_date, customer_id

),

keyed_reviews as (

    select
        insert_date,
        customer_id,
        review_id,
        positive_review,
        log_date,
        {{ dimension_keys_of_log() }}
    from {{ ref('int_attributed_review') }}
    where {{ is_to_build }} and customer_id is not null

),

reviews_of_day as (

    select
        insert_date,
        customer_id,
        min(case when log_date < insert_date then log_date else insert_date end) as first_active_date,
        {{ fingerprint([
            'review_id', 'positive_review', 'log_date', 'id_dim_devices', 'id_dim_location', 'id_dim_os', 'id_dim_browser'
        ]) }} as fingerprint
    from keyed_reviews
    group by insert_date, customer_id

),

days as (

    select * from lines_of_day
    union all
    select * from reviews_of_day

),

final as (

    select
        insert_date,
        customer_id,
        min(first_active_date) as first_active_date,
        cast(sum(fingerprint) as decimal(28, 0)) as fingerprint
    from days
    group by insert_date, customer_id

)

select * from final
