{{ config(severity='warn') }}

with

ledger_classifier as (

    select * from {{ ref('ledger_classifier') }}

),

versions as (

    select
        classifier,
        classifier_version,
        min(insert_date) as first_insert_date,
        max(insert_date) as last_insert_date,
        count(*) as number_of_days,
        count(*) over () as number_of_versions
    from ledger_classifier
    group by classifier, classifier_version

)

select * from versions
where number_of_versions > 1
