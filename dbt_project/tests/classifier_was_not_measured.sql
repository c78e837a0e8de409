{{ config(severity='warn') }}

select
    insert_date,
    classifier,
    classifier_version,
    classified_reviews
from {{ ref('ledger_classifier') }}
where accuracy is null and {{ is_day_of_run('insert_date') }}
