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

stg_other_classification as (

    select * from {{ ref('stg_other_classification') }}
    where {{ is_day_of_run('insert_date') }}

),

said as (

    select
        insert_date,
        review_id,
        classifier,
        classifier_version,
        positive_review as verdict
    from int_review
    union all
    select
        insert_date,
        review_id,
        classifier,
        classifier_version,
        positive_review as verdict
    from stg_other_classification

),

-- A review that came twice counts once; not if a classifier says both of it, since nobody can tell what goes
-- with what then.
by_review as (

    select
        insert_date,
        review_id,
        classifier,
        classifier_version,
        min(verdict) as positive_review
    from said
    group by insert_date, review_id, classifier, classifier_version
    having min(verdict) = max(verdict)

),

pairs as (

    select
        by_review.insert_date,
        by_review.classifier,
        by_review.classifier_version,
        other.classifier as other_classifier,
        other.classifier_version as other_classifier_version,
        cast(count(*) as {{ dbt.type_bigint() }}) as compared_reviews,
        cast(
            sum(by_review.positive_review * other.positive_review) as {{ dbt.type_bigint() }}
        ) as both_positive_reviews,
        cast(
            sum((1 - by_review.positive_review) * (1 - other.positive_review)) as {{ dbt.type_bigint() }}
        ) as both_negative_reviews,
        cast(sum(by_review.positive_review) as {{ dbt.type_bigint() }}) as positive_reviews,
        cast(sum(other.positive_review) as {{ dbt.type_bigint() }}) as other_positive_reviews
    from by_review
    inner join by_review as other
        on
            by_review.insert_date = other.insert_date
            and by_review.review_id = other.review_id
            and (
                by_review.classifier < other.classifier
                or (by_review.classifier = other.classifier and by_review.classifier_version < other.classifier_version)
            )
    group by
        by_review.insert_date,
        by_review.classifier,
        by_review.classifier_version,
        other.classifier,
        other.classifier_version

),

final as (

    select
        insert_date,
        classifier,
        classifier_version,
        other_classifier,
        other_classifier_version,
        compared_reviews,
        both_positive_reviews,
        both_negative_reviews,
        positive_reviews,
        other_positive_reviews,
        cast(
            cast(both_positive_reviews + both_negative_reviews as {{ type_double() }})
            / compared_reviews as decimal(9, 5)
        ) as agreement,
        {{ cohens_kappa(
            'compared_reviews', 'both_positive_reviews', 'both_negative_reviews', 'positive_reviews', 'other_positive_reviews'
        ) }} as kappa
    from pairs

)

select * from final
