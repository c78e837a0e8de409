with

int_classification as (

    select * from {{ ref('int_classification') }}

),

measured_classifier as (

    select * from {{ ref('measured_classifier') }}

),

days as (

    select
        insert_date,
        classifier,
        classifier_version,
        sum(classified_reviews) as classified_reviews,
        sum(positive_reviews) as positive_reviews,
        {% for tenth in range(10) -%}
        sum(case when score_tenth = {{ tenth }} then classified_reviews else 0 end) as tenth_{{ tenth }},
        {% endfor -%}
        sum(case when score_tenth is not null then classified_reviews else 0 end) as scored_reviews
    from int_classification
    group by insert_date, classifier, classifier_version

),

measured as (

    select
        days.*,
        measured_classifier.true_positives,
        measured_classifier.false_positives,
        measured_classifier.false_negatives,
        measured_classifier.true_negatives,
        measured_classifier.measured_on,
        case when days.scored_reviews > 0 then {{ score_shift('days', 'measured_classifier') }} end as score_shift
    from days
    left join measured_classifier
        on
            days.classifier = measured_classifier.classifier
            and days.classifier_version = measured_classifier.classifier_version

),

corrected as (

    {{ with_corrected_share('measured') }}

),

final as (

    select
        insert_date,
        classifier,
        classifier_version,
        cast(classified_reviews as {{ dbt.type_bigint() }}) as classified_reviews,
        cast(positive_reviews as {{ dbt.type_bigint() }}) as positive_reviews,
        cast(scored_reviews as {{ dbt.type_bigint() }}) as scored_reviews,
        cast(tenth_4 + tenth_5 as {{ dbt.type_bigint() }}) as unsure_reviews,
        positive_share,
        corrected_positive_share,
        corrected_positive_share_low,
        corrected_positive_share_high,
        accuracy,
        sensitivity,
        specificity,
        cast(true_positives as {{ dbt.type_bigint() }}) as true_positives,
        cast(false_positives as {{ dbt.type_bigint() }}) as false_positives,
        cast(false_negatives as {{ dbt.type_bigint() }}) as false_negatives,
        cast(true_negatives as {{ dbt.type_bigint() }}) as true_negatives,
        cast(measured_on as {{ type_text() }}) as measured_on,
        cast(score_shift as decimal(9, 5)) as score_shift
    from corrected

)

select * from final
