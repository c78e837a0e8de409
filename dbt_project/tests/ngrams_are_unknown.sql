{{ config(severity='warn') }}

{#- Of 200 reviews the mean is within 0.006 by chance; texts of another kind have 0.1 more and above. -#}
select
    insert_date,
    classifier,
    classifier_version,
    classified_reviews,
    unknown_ngram_share,
    labelled_unknown_ngram_share
from {{ ref('ledger_classifier') }}
where
    unknown_ngram_share - labelled_unknown_ngram_share >= cast('0.05' as decimal(9, 5))
    and scored_reviews >= 200
    and {{ is_day_of_run('insert_date') }}
