{#-
    The lower end of Wilson's 95 % score interval for the share positive / total; NULL where total is 0. What is left of a
    share when little is known of it: 1 of 1 is 0.20655, 100 of 100 is 0.96301.

    (p + z²/2n - z √(p(1-p)/n + z²/4n²)) / (1 + z²/n) with p = positive / total and n = total, both sides times n.
-#}
{% macro wilson_lower_bound(positive, total) -%}
    {%- set z -%} cast('1.959963984540054' as {{ type_double() }}) {%- endset -%}
    {%- set k -%} cast({{ positive }} as {{ type_double() }}) {%- endset -%}
    {%- set n -%} cast(nullif({{ total }}, 0) as {{ type_double() }}) {%- endset -%}
    cast((
        {{ k }} + {{ z }} * {{ z }} / 2
        - {{ z }} * sqrt({{ k }} * ({{ n }} - {{ k }}) / {{ n }} + {{ z }} * {{ z }} / 4)
    ) / ({{ n }} + {{ z }} * {{ z }}) as decimal(9, 5))
{%- endmacro %}
