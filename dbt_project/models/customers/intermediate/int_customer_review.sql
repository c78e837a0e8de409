with

int_attributed_review as (

    select * from {{ ref('int_attributed_review') }}
    where customer_id is not null

),

dim_date as (

    select * from {{ ref('dim_date') }}

),

final as (

    select
        reviews.review_id,
        reviews.customer_id,
        reviews.insert_date,
        reviews.positive_review,
        reviews.id_dim_date,
        reviews.id_dim_devices,
        reviews.id_dim_location,
        reviews.id_dim_os,
        reviews.id_dim_browser,
        coalesce(dim_date.log_date, reviews.insert_date) as review_date
    from int_attributed_review as reviews
    left join dim_date
        on reviews.id_dim_date = dim_date.id_dim_date

)

select * from final
