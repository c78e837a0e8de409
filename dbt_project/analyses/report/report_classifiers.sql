-- By which classifier the staged reviews were judged, the first used first.
select
    classifier,
    classifier_version,
    min(insert_date) as first_day,
    max(insert_date) as last_day,
    sum(classified_reviews) as classified_reviews,
    sum(positive_reviews) as positive_reviews
from {{ ref('ledger_classifier') }}
group by classifier, classifier_version
order by first_day, classifier, classifier_version
