{#-
    A query: the rows of a CTE, and beside them the raw share of positive reviews and that corrected for the classifier's error. The CTE has
    classified_reviews, positive_reviews, and how the classifier judged labelled reviews: true_positives, false_positives, false_negatives,
    true_negatives (seed measured_classifier), NULL if that is not known.

    Corrected by Rogan and Gladen (1978): a classifier that finds the share Se of the positive reviews (sensitivity) and the share Sp of the
    negative ones (specificity) calls p = Se x + (1 - Sp) (1 - x) of all positive, so x = (p + Sp - 1) / (Se + Sp - 1), kept between 0 and 1.
    The interval of 95 % is that of Lang and Reiczigel (2014), which allows for chance in p, in Se and in Sp. NULL where Se + Sp - 1 is less
    than 0.1: the classifier hardly tells positive from negative, and a point of p would be ten points and more of x. NULL, too, where all of
    the interval is below 0 or above 1: no share of positive reviews explains p, so Se and Sp are not those of these reviews.
-#}
{% macro with_corrected_share(counts) -%}
    {%- set double = type_double() -%}
    {%- set z2 -%} cast('3.841458820694124' as {{ double }}) {%- endset -%}
    {%- set positives, negatives = '(true_positives + false_negatives)', '(true_negatives + false_positives)' -%}
    with

    rates as (

        select
            {{ counts }}.*,
            cast(positive_reviews as {{ double }}) / nullif(classified_reviews, 0) as raw_share,
            cast(true_positives as {{ double }}) / nullif({{ positives }}, 0) as se,
            cast(true_negatives as {{ double }}) / nullif({{ negatives }}, 0) as sp,
            {#- For the interval, each a little nearer to a half. -#}
            (positive_reviews + {{ z2 }} / 2) / (classified_reviews + {{ z2 }}) as p_near,
            (true_positives + cast(1 as {{ double }})) / ({{ positives }} + 2) as se_near,
            (true_negatives + cast(1 as {{ double }})) / ({{ negatives }} + 2) as sp_near
        from {{ counts }}

    ),

    solved as (

        select
            rates.*,
            case when se + sp - 1 >= 0.1 then (raw_share + sp - 1) / (se + sp - 1) end as x,
            case when se + sp - 1 >= 0.1 then (p_near + sp_near - 1) / (se_near + sp_near - 1) end as x_near,
            p_near * (1 - p_near) / (classified_reviews + {{ z2 }}) as p_variance,
            se_near * (1 - se_near) / ({{ positives }} + 2) as se_variance,
            sp_near * (1 - sp_near) / ({{ negatives }} + 2) as sp_variance
        from rates

    ),

    bounded as (

        select
            solved.*,
            x_near + 2 * {{ z2 }} * (x_near * se_variance - (1 - x_near) * sp_variance) as middle,
            sqrt(
                {{ z2 }} * (p_variance + x_near * x_near * se_variance + (1 - x_near) * (1 - x_near) * sp_variance)
            ) / (se_near + sp_near - 1) as margin
        from solved

    )

    select
        bounded.*,
        {{ accuracy() }} as accuracy,
        cast(se as decimal(9, 5)) as sensitivity,
        cast(sp as decimal(9, 5)) as specificity,
        cast(raw_share as decimal(9, 5)) as positive_share,
        {{ share_of('x') }} as corrected_positive_share,
        {{ share_of('middle - margin') }} as corrected_positive_share_low,
        {{ share_of('middle + margin') }} as corrected_positive_share_high
    from bounded
{%- endmacro %}


{#- How often a classifier is right on labelled reviews. -#}
{% macro accuracy() -%}
    cast((true_positives + true_negatives) / cast(
        nullif(true_positives + false_positives + false_negatives + true_negatives, 0) as {{ type_double() }}
    ) as decimal(9, 5))
{%- endmacro %}


{#- Kept between 0 and 1; NULL if all of the interval is outside. Not greatest(), which in some warehouses takes no notice of NULL. -#}
{% macro share_of(value) -%}
    cast(case
        when middle + margin < 0 or middle - margin > 1 then null
        when {{ value }} < 0 then 0
        when {{ value }} > 1 then 1
        else {{ value }}
    end as decimal(9, 5))
{%- endmacro %}
