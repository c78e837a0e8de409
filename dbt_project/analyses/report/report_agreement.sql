-- How far each pair of classifiers that ran in the same pass agrees, over all days on which they did.
with

ledger_agreement as (

    select * from {{ ref('ledger_agreement') }}

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
    classifier,
    classifier_version,
    other_classifier,
    other_classifier_version,
    first_day,
    last_day,
    compared_reviews,
    both_positive_reviews,
    both_negative_reviews,
    positive_reviews,
    other_positive_reviews,
    lowest_kappa,
    highest_kappa,
    {{ cohens_kappa(
        'compared_reviews', 'both_positive_reviews', 'both_negative_reviews', 'positive_reviews', 'other_positive_reviews'
    ) }} as kappa
from pairs
order by first_day, classifier, classifier_version, other_classifier, other_classifier_version
