-- How far each pair of classifiers that ran in the same pass agrees, over all days on which they did, and how often
-- each is right.
with

ledger_agreement as (

    select * from {{ ref('ledger_agreement') }}

),

measured as (

    select
        classifier,
        classifier_version,
        {{ accuracy() }} as accuracy
    from {{ ref('measured_classifier') }}

),

pairs as (

    select
        classifier,
        classifier_version,
        other_classifier,
        other_classifier_version,
        min(insert_date) as first_day,
        max(insert_date) as last_day,
        cast(sum(compared_reviews) as {{ dbt.type_bigint() }}) as compared_reviews,
        cast(sum(both_positive_reviews) as {{ dbt.type_bigint() }}) as both_positive_reviews,
        cast(sum(both_negative_reviews) as {{ dbt.type_bigint() }}) as both_negative_reviews,
        cast(sum(positive_reviews) as {{ dbt.type_bigint() }}) as positive_reviews,
        cast(sum(other_positive_reviews) as {{ dbt.type_bigint() }}) as other_positive_reviews,
        min(kappa) as lowest_kappa,
        max(kappa) as highest_kappa
    from ledger_agreement
    group by classifier, classifier_version, other_classifier, other_classifier_version

)

select
    pairs.classifier,
    pairs.classifier_version,
    pairs.other_classifier,
    pairs.other_classifier_version,
    pairs.first_day,
    pairs.last_day,
    pairs.compared_reviews,
    pairs.both_positive_reviews,
    pairs.both_negative_reviews,
    pairs.positive_reviews,
    pairs.other_positive_reviews,
    measured.accuracy,
    other_measured.accuracy as other_accuracy,
    pairs.lowest_kappa,
    pairs.highest_kappa,
    {{ cohens_kappa(
        'compared_reviews', 'both_positive_reviews', 'both_negative_reviews', 'positive_reviews', 'other_positive_reviews'
    ) }} as kappa
from pairs
left join measured
    on
        pairs.classifier = measured.classifier
        and pairs.classifier_version = measured.classifier_version
left join measured as other_measured
    on
        pairs.other_classifier = other_measured.classifier
        and pairs.other_classifier_version = other_measured.classifier_version
order by
    pairs.first_day, pairs.classifier, pairs.classifier_version, pairs.other_classifier, pairs.other_classifier_version
