{{ config(partition_by=partition_by_insert_date(), sort='insert_date') }}

with

int_review as (

    select * from {{ ref('int_review') }}
    where {{ is_day_of_run('insert_date') }}

),

with_tenth as (

    select
        insert_date,
        classifier,
        classifier_version,
        positive_review,
        unknown_ngram_share,
        case
            when classifier_score >= 1 then 9
            else cast(floor(classifier_score * 10) as {{ dbt.type_bigint() }})
        end as score_tenth
    from int_review

),

final as (

    select
        insert_date,
        classifier,
        classifier_version,
        cast(score_tenth as {{ dbt.type_bigint() }}) as score_tenth,
        cast(count(*) as {{ dbt.type_bigint() }}) as classified_reviews,
        cast(sum(positive_review) as {{ dbt.type_bigint() }}) as positive_reviews,
        cast(count(unknown_ngram_share) as {{ dbt.type_bigint() }}) as ngram_reviews,
        cast(sum(cast(unknown_ngram_share as decimal(9, 6))) as decimal(18, 6)) as unknown_ngram_shares
    from with_tenth
    group by insert_date, classifier, classifier_version, score_tenth

)

select * from final
