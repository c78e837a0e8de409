{{ config(
    materialized='incremental',
    partition_by=partition_by_insert_date(),
    sort='insert_date'
) }}

with

int_review as (

    select * from {{ ref('int_review') }}
    where {{ is_day_of_run('insert_date') }}

),

final as (

    select
        insert_date,
        classifier,
        classifier_version,
        cast(count(*) as {{ dbt.type_bigint() }}) as classified_reviews,
        cast(sum(positive_review) as {{ dbt.type_bigint() }}) as positive_reviews,
        cast(count(classifier_score) as {{ dbt.type_bigint() }}) as scored_reviews,
        cast(
            sum(case when classifier_score >= 0.4 and classifier_score < 0.6 then 1 else 0 end)
            as {{ dbt.type_bigint() }}
        ) as unsure_reviews
    from int_review
    group by insert_date, classifier, classifier_version

)

select * from final
