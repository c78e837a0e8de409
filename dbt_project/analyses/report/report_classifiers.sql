-- By which classifier the staged reviews were judged, and what its verdicts are worth, the first used first.
with

ledger_classifier as (

    select * from {{ ref('ledger_classifier') }}

),

versions as (

    select
        classifier,
        classifier_version,
        true_positives,
        false_positives,
        false_negatives,
        true_negatives,
        measured_on,
        min(insert_date) as first_day,
        max(insert_date) as last_day,
        sum(classified_reviews) as classified_reviews,
        sum(positive_reviews) as positive_reviews,
        sum(scored_reviews) as scored_reviews,
        sum(unsure_reviews) as unsure_reviews
    from ledger_classifier
    group by
        classifier,
        classifier_version,
        true_positives,
        false_positives,
        false_negatives,
        true_negatives,
        measured_on

),

corrected as (

    {{ with_corrected_share('versions') }}

)

select
    classifier,
    classifier_version,
    first_day,
    last_day,
    classified_reviews,
    positive_reviews,
    scored_reviews,
    unsure_reviews,
    corrected_positive_share,
    corrected_positive_share_low,
    corrected_positive_share_high,
    accuracy,
    sensitivity,
    specificity,
    true_positives + false_positives + false_negatives + true_negatives as labelled_reviews,
    measured_on
from corrected
order by first_day, classifier, classifier_version
