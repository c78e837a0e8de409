{#-
    How far two classifiers agree beyond chance (Cohen 1960), from counts of reviews: judged by both, called positive by both, by neither, by the one, by
    the other. NULL without a review, and where both call all of them the same: then chance alone would make them agree.

    In whole numbers up to the division, the same in every warehouse. A count beyond 2,000 million is an error, not a wrong figure.
-#}
{% macro cohens_kappa(reviews, both_positive, both_negative, positive, other_positive) -%}
    {%- set agreed -%} {{ reviews }} * ({{ both_positive }} + {{ both_negative }}) {%- endset -%}
    {%- set by_chance -%}
        {{ positive }} * {{ other_positive }} + ({{ reviews }} - {{ positive }}) * ({{ reviews }} - {{ other_positive }})
    {%- endset -%}
    cast(
        cast({{ agreed }} - ({{ by_chance }}) as {{ type_double() }})
        / nullif({{ reviews }} * {{ reviews }} - ({{ by_chance }}), 0) as decimal(9, 5)
    )
{%- endmacro %}
