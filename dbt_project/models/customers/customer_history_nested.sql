{{ config(enabled=has_arrays_of_structs(), cluster_by='customer_id') }}

with

int_touched_invoice as (

    select * from {{ ref('int_touched_invoice') }}

),

int_touched_review as (

    select * from {{ ref('int_touched_review') }}

),

invoices_by_customer as (

    select
        customer_id,
        {{ array_of_structs(
            [
                'invoice_number', 'invoice_date', 'gross_amount', 'return_amount', 'other_credit_amount', 'amount_spent',
                'item_count',
            ],
            order_by=['invoice_date', 'invoice_number']
        ) }} as invoices
    from int_touched_invoice
    group by customer_id

),

named_reviews as (

    select
        reviews.customer_id,
        reviews.review_id,
        reviews.review_date,
        reviews.positive_review,
        dim_devices.device,
        dim_os.os,
        dim_browser.browser,
        dim_location.location
    from int_touched_review as reviews
    left join {{ ref('dim_devices') }} as dim_devices
        on reviews.id_dim_devices = dim_devices.id_dim_devices
    left join {{ ref('dim_os') }} as dim_os
        on reviews.id_dim_os = dim_os.id_dim_os
    left join {{ ref('dim_browser') }} as dim_browser
        on reviews.id_dim_browser = dim_browser.id_dim_browser
    left join {{ ref('dim_location') }} as dim_location
        on reviews.id_dim_location = dim_location.id_dim_location

),

reviews_by_customer as (

    select
        customer_id,
        {{ array_of_structs(
            ['review_id', 'review_date', 'positive_review', 'device', 'os', 'browser', 'location'],
            order_by=['review_date', 'review_id']
        ) }} as reviews
    from named_reviews
    group by customer_id

),

final as (

    select
        coalesce(invoices_by_customer.customer_id, reviews_by_customer.customer_id) as customer_id,
        invoices_by_customer.invoices,
        reviews_by_customer.reviews
    from invoices_by_customer
    full outer join reviews_by_customer
        on invoices_by_customer.customer_id = reviews_by_customer.customer_id

)

select * from final
