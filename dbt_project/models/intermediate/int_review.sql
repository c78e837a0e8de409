{{ config(
    partition_by=partition_by_insert_date(),
    sort='insert_date',
    cluster_by='review_id'
) }}

with

stg_classified_movie_review as (

    select * from {{ ref('stg_classified_movie_review') }}
    where {{ is_day_of_run('insert_date') }}

),

final as (

    select
        insert_date,
        review_id,
        customer_id,
        positive_review,
        classifier,
        classifier_version,
        classifier_score,
        unknown_ngram_share,
        row_number() over (
            partition by insert_date, review_id
            order by customer_id asc nulls last, positive_review desc
        ) as copy_number
    from stg_classified_movie_review

)

select * from final
