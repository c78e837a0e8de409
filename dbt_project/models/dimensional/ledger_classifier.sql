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
        sum(case when score_tenth is not null then classified_reviews else 0 end) as scored_reviews,
        sum(case when score_tenth in (4, 5) then classified_reviews else 0 end) as unsure_reviews,
        cast(
            cast(sum(unknown_ngram_shares) as {{ type_double() }}) / nullif(sum(ngram_reviews), 0) as decimal(9, 5)
        ) as unknown_ngram_share
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
        cast(measured_classifier.unknown_ngram_share as decimal(9, 5)) as labelled_unknown_ngram_share
    from days
    left join measured_classifier
        on
            days.classifier = measured_classifier.classifier
            and days.classifier_version = measured_classifier.classifier_version

),

corrected as (

    {{ with_corrected_share('measured') }}

),

labelled_tenths as (

    {% for tenth in range(10) -%}
    select
        classifier,
        classifier_version,
        {{ tenth }} as score_tenth,
        tenth_{{ tenth }} as labelled_reviews,
        true_positives + false_positives + false_negatives + true_negatives as all_labelled_reviews
    from measured_classifier
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}

),

-- half a review more in each tenth, so that no share is 0
shares as (

    select
        days.insert_date,
        days.classifier,
        days.classifier_version,
        (coalesce(int_classification.classified_reviews, 0) + cast('0.5' as {{ type_double() }}))
        / (days.scored_reviews + 5) as share_of_day,
        (labelled_tenths.labelled_reviews + cast('0.5' as {{ type_double() }}))
        / (labelled_tenths.all_labelled_reviews + 5) as share_of_labelled
    from days
    inner join labelled_tenths
        on days.classifier = labelled_tenths.classifier and days.classifier_version = labelled_tenths.classifier_version
    left join int_classification
        on
            days.insert_date = int_classification.insert_date
            and days.classifier = int_classification.classifier
            and days.classifier_version = int_classification.classifier_version
            and labelled_tenths.score_tenth = int_classification.score_tenth
    where days.scored_reviews > 0

),

shifts as (

    select
        insert_date,
        classifier,
        classifier_version,
        sum((share_of_day - share_of_labelled) * ln(share_of_day / share_of_labelled)) as score_shift
    from shares
    group by insert_date, classifier, classifier_version

),

final as (

    select
        corrected.insert_date,
        corrected.classifier,
        corrected.classifier_version,
        cast(corrected.classified_reviews as {{ dbt.type_bigint() }}) as classified_reviews,
        cast(corrected.positive_reviews as {{ dbt.type_bigint() }}) as positive_reviews,
        cast(corrected.scored_reviews as {{ dbt.type_bigint() }}) as scored_reviews,
        cast(corrected.unsure_reviews as {{ dbt.type_bigint() }}) as unsure_reviews,
        corrected.positive_share,
        corrected.corrected_positive_share,
        corrected.corrected_positive_share_low,
        corrected.corrected_positive_share_high,
        corrected.accuracy,
        corrected.sensitivity,
        corrected.specificity,
        cast(corrected.true_positives as {{ dbt.type_bigint() }}) as true_positives,
        cast(corrected.false_positives as {{ dbt.type_bigint() }}) as false_positives,
        cast(corrected.false_negatives as {{ dbt.type_bigint() }}) as false_negatives,
        cast(corrected.true_negatives as {{ dbt.type_bigint() }}) as true_negatives,
        cast(corrected.measured_on as {{ type_text() }}) as measured_on,
        cast(shifts.score_shift as decimal(9, 5)) as score_shift,
        corrected.unknown_ngram_share,
        corrected.labelled_unknown_ngram_share
    from corrected
    left join shifts
        on
            corrected.insert_date = shifts.insert_date
            and corrected.classifier = shifts.classifier
            and corrected.classifier_version = shifts.classifier_version

)

select * from final
