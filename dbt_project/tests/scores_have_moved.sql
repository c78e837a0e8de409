{{ config(severity='warn') }}

{#- Of 200 reviews, chance alone gives some 0.05. -#}
select
    insert_date,
    classifier,
    classifier_version,
    scored_reviews,
    score_shift
from {{ ref('ledger_classifier') }}
where score_shift >= 0.25 and scored_reviews >= 200 and {{ is_day_of_run('insert_date') }}
