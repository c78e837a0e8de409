{#-
    The population stability index of the scores in `counts` against those in `labelled`, both with tenth_0 … tenth_9, a count for each tenth of
    the score: the sum of (share - labelled share) × ln(share / labelled share). Half a review more in each tenth, so that no share is 0.
-#}
{% macro score_shift(counts, labelled) -%}
    {%- set tenths = range(10) -%}
    {%- for tenth in tenths -%}
        {%- set shares = [] -%}
        {%- for relation in [counts, labelled] -%}
            {%- set all_tenths = [] -%}
            {%- for each in tenths -%}{%- do all_tenths.append(relation ~ ".tenth_" ~ each) -%}{%- endfor -%}
            {%- do shares.append(
                "((" ~ relation ~ ".tenth_" ~ tenth ~ " + cast('0.5' as " ~ type_double() ~ ")) / (" ~ all_tenths | join(" + ") ~ " + 5))"
            ) -%}
        {%- endfor -%}
        ({{ shares[0] }} - {{ shares[1] }}) * ln({{ shares[0] }} / {{ shares[1] }}){{ " + " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
