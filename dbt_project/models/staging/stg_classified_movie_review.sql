with

source as (

    {{ committed_rows('classified_movie_review') }}

),

renamed as (

    select
        insert_date,
        review_id,
        customer_id,
        positive_review,
        classifier,
        classifier_version,
        classifier_score,
        unknown_ngram_share
    from source

)

select * from renamed
