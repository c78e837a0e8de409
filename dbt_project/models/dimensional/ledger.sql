{{ config(
    materialized='incremental',
    partition_by=partition_by_insert_date(),
    sort='insert_date'
) }}

{%- set is_to_build = is_day_to_build('insert_date') %}
{%- set near_log_ids = near_ids_of(ref('int_log'), 'log_id', is_to_build) %}

with

int_delivery as (

    select * from {{ ref('int_delivery') }}
    where {{ is_to_build }}

),

int_customer_purchase as (

    select * from {{ ref('int_customer_purchase') }}
    where {{ is_to_build }}

),

int_review as (

    select * from {{ ref('int_review') }}
    where {{ is_to_build }}

),

int_log as (

    select * from {{ ref('int_log') }}
    where {{ is_to_build }}

),

int_purchase_line as (

    select * from {{ ref('int_purchase_line') }}
    where {{ is_to_build }}

),

attributed_reviews as (

    select * from {{ ref('int_attributed_review') }}
    where {{ is_to_build }}

),

-- Of every day: a log's review may have come before it or after it.
reviews_of_logs as (

    select * from {{ ref('int_attributed_review') }}
    where review_id {{ near_log_ids }}

),

fact_movie_analytics as (

    select * from {{ ref('fact_movie_analytics') }}
    where {{ is_to_build }}

),

ids_to_build as (

    select distinct log_id from int_log

),

first_log as (

    select
        every_log.log_id,
        min(every_log.insert_date) as insert_date
    from {{ ref('int_log') }} as every_log
    inner join ids_to_build
        on every_log.log_id = ids_to_build.log_id
    where every_log.log_id {{ near_log_ids }}
    group by every_log.log_id

),

-- Where each staged record went is worked out from the record itself, not as what the marts leave over.
purchase_lines as (

    select
        {{ text_literal('user_purchase') }} as table_name,
        insert_date,
        sum(purchase_lines) as records_staged,
        0 as records_duplicate,
        sum(case when customer_id is null then purchase_lines else 0 end) as records_unattributable,
        sum(amount_spent) as amount_staged,
        sum(case when customer_id is null then amount_spent else 0 end) as amount_unattributable
    from int_customer_purchase
    group by insert_date

),

reviews as (

    select
        {{ text_literal('classified_movie_review') }} as table_name,
        int_review.insert_date,
        count(*) as records_staged,
        sum(case when attributed.review_id is null then 1 else 0 end) as records_duplicate,
        sum(
            case when attributed.review_id is not null and attributed.customer_id is null then 1 else 0 end
        ) as records_unattributable
    from int_review
    left join attributed_reviews as attributed
        on
            int_review.review_id = attributed.review_id
            and int_review.insert_date = attributed.insert_date
            and int_review.copy_number = 1
    group by int_review.insert_date

),

logs as (

    select
        {{ text_literal('review_logs') }} as table_name,
        int_log.insert_date,
        count(*) as records_staged,
        sum(
            case when int_log.copy_number > 1 or first_log.insert_date < int_log.insert_date then 1 else 0 end
        ) as records_duplicate,
        sum(
            case
                when int_log.copy_number > 1 or first_log.insert_date < int_log.insert_date then 0
                when attributed.customer_id is null then 1
                else 0
            end
        ) as records_unattributable
    from int_log
    inner join first_log
        on int_log.log_id = first_log.log_id
    left join reviews_of_logs as attributed
        on
            int_log.log_id = attributed.review_id
            and int_log.insert_date = attributed.log_insert_date
    group by int_log.insert_date

),

-- What arrived in the marts is counted in the marts, purchase lines in the table that profiles are made from.
lines_in_marts as (

    select
        insert_date,
        count(*) as records_in_marts
    from int_purchase_line
    group by insert_date

),

reviews_in_marts as (

    select
        insert_date,
        sum(review_count) as records_in_marts,
        sum(amount_spent) as amount_in_marts
    from fact_movie_analytics
    group by insert_date

),

logs_in_marts as (

    select
        log_insert_date as insert_date,
        count(*) as records_in_marts
    from reviews_of_logs
    where customer_id is not null and log_insert_date is not null
    group by log_insert_date

),

staged as (

    select
        purchase_lines.table_name,
        purchase_lines.insert_date,
        purchase_lines.records_staged,
        lines_in_marts.records_in_marts,
        purchase_lines.records_duplicate,
        purchase_lines.records_unattributable,
        purchase_lines.amount_staged,
        reviews_in_marts.amount_in_marts,
        purchase_lines.amount_unattributable
    from purchase_lines
    left join lines_in_marts
        on purchase_lines.insert_date = lines_in_marts.insert_date
    left join reviews_in_marts
        on purchase_lines.insert_date = reviews_in_marts.insert_date

    union all

    select
        reviews.table_name,
        reviews.insert_date,
        reviews.records_staged,
        reviews_in_marts.records_in_marts,
        reviews.records_duplicate,
        reviews.records_unattributable,
        cast(0 as decimal(18, 5)) as amount_staged,
        cast(0 as decimal(18, 5)) as amount_in_marts,
        cast(0 as decimal(18, 5)) as amount_unattributable
    from reviews
    left join reviews_in_marts
        on reviews.insert_date = reviews_in_marts.insert_date

    union all

    select
        logs.table_name,
        logs.insert_date,
        logs.records_staged,
        logs_in_marts.records_in_marts,
        logs.records_duplicate,
        logs.records_unattributable,
        cast(0 as decimal(18, 5)) as amount_staged,
        cast(0 as decimal(18, 5)) as amount_in_marts,
        cast(0 as decimal(18, 5)) as amount_unattributable
    from logs
    left join logs_in_marts
        on logs.insert_date = logs_in_marts.insert_date

),

-- Outer: staged records of a day without a delivery row must show up as an imbalance.
counted as (

    select
        coalesce(int_delivery.table_name, staged.table_name) as table_name,
        coalesce(int_delivery.insert_date, staged.insert_date) as insert_date,
        coalesce(int_delivery.is_delivered, false) as is_delivered,
        coalesce(int_delivery.file_count, 0) as file_count,
        cast(coalesce(int_delivery.records_delivered, 0) as {{ dbt.type_bigint() }}) as records_delivered,
        cast(coalesce(int_delivery.records_quarantined, 0) as {{ dbt.type_bigint() }}) as records_quarantined,
        cast(coalesce(staged.records_staged, 0) as {{ dbt.type_bigint() }}) as records_staged,
        cast(coalesce(staged.records_in_marts, 0) as {{ dbt.type_bigint() }}) as records_in_marts,
        cast(coalesce(staged.records_duplicate, 0) as {{ dbt.type_bigint() }}) as records_duplicate,
        cast(coalesce(staged.records_unattributable, 0) as {{ dbt.type_bigint() }}) as records_unattributable,
        cast(coalesce(staged.amount_staged, 0) as decimal(18, 5)) as amount_staged,
        cast(coalesce(staged.amount_in_marts, 0) as decimal(18, 5)) as amount_in_marts,
        cast(coalesce(staged.amount_unattributable, 0) as decimal(18, 5)) as amount_unattributable
    from int_delivery
    full outer join staged
        on
            int_delivery.table_name = staged.table_name
            and int_delivery.insert_date = staged.insert_date

),

final as (

    select
        *,
        records_delivered = records_quarantined + records_staged
        and records_staged = records_in_marts + records_duplicate + records_unattributable
        and amount_staged = amount_in_marts + amount_unattributable as is_balanced
    from counted

)

select * from final
