with

source as (

    {{ committed_rows_if_any('other_classification') }}

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
