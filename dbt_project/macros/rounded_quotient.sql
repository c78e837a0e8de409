{#-
    a / b with five decimals, half rounded up; NULL where b is 0. Both have at most five decimals, a is not negative.

    In whole units of the fifth decimal, since warehouses divide decimals to different numbers of digits. An a beyond
    460 million is an error in each of them, not a wrong figure.
-#}
{% macro rounded_quotient(a, b) -%}
    {%- set a_units -%} cast(cast({{ a }} as decimal(18, 5)) * 100000 as {{ dbt.type_bigint() }}) {%- endset -%}
    {%- set b_units -%} cast(cast({{ b }} as decimal(18, 5)) * 100000 as {{ dbt.type_bigint() }}) {%- endset -%}
    cast(
        cast(
            {{ integer_quotient(a_units ~ " * 200000 + " ~ b_units, "2 * nullif(" ~ b_units ~ ", 0)") }} as decimal(18, 0)
        ) * cast('0.00001' as decimal(6, 5)) as decimal(18, 5)
    )
{%- endmacro %}
