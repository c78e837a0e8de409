{{ config(
    partition_by=partition_by_month('as_of_date'), dist='customer_id', sort='as_of_date', cluster_by='customer_id'
) }}

with

int_customer_segment as (

    select * from {{ ref('int_customer_segment') }}

),

int_month_to_build as (

    select * from {{ ref('int_month_to_build') }}
    where has_segments

),

final as (

    select
        int_customer_segment.customer_id,
        int_customer_segment.as_of_date,
        int_customer_segment.rfm_segment,
        int_customer_segment.spend_sentiment_quadrant
    from int_customer_segment
    inner join int_month_to_build
        on int_customer_segment.as_of_date = int_month_to_build.month_end

)

select * from final
