{{ config(dist='customer_id', sort='customer_id') }}

with

int_attributed_review as (

    select * from {{ ref('int_attributed_review') }}
    where customer_id is not null and {{ is_customer_touched('customer_id') }}

),

int_as_of_date as (

    select * from {{ ref('int_as_of_date') }}

),

dated as (

    select
        review_id,
        customer_id,
        insert_date,
        positive_review,
        {{ dimension_keys_of_log() }},
        -- What was delivered on a day was not written after it, whatever its log says.
        case when log_date < insert_date then log_date else insert_date end as review_date
    from int_attributed_review

),

final as (

    select dated.*
    from dated
    inner join int_as_of_date
        on dated.review_date <= int_as_of_date.as_of_date

)

select * from final
