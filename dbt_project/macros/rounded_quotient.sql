{#-
    a / b with five decimals, half rounded up; NULL where b is 0. Both have at most five decimals, a is not negative.

    In whole units of the fifth decimal, since warehouses divide decimals to different numbers of digits. As by hand: the whole part, then two
    digits, two more, and one with the rounding, so that no product leaves the 64 bits of an integer. A b beyond 900 billion is an error in
    each of them, not a wrong figure.
-#}
{% macro rounded_quotient(a, b) -%}
    {#- Of a decimal of 18 digits DuckDB makes no larger product. -#}
    {%- set a_units -%} cast(cast({{ a }} as decimal(23, 5)) * 100000 as {{ dbt.type_bigint() }}) {%- endset -%}
    {%- set b_units -%} nullif(cast(cast({{ b }} as decimal(23, 5)) * 100000 as {{ dbt.type_bigint() }}), 0) {%- endset -%}
    {%- set first_two = "mod(" ~ a_units ~ ", " ~ b_units ~ ") * 100" -%}
    {%- set next_two = "mod(" ~ first_two ~ ", " ~ b_units ~ ") * 100" -%}
    {%- set last_one = "mod(" ~ next_two ~ ", " ~ b_units ~ ") * 20 + " ~ b_units -%}
    cast(
        cast(
            {{ integer_quotient(a_units, b_units) }} * 100000
            + {{ integer_quotient(first_two, b_units) }} * 1000
            + {{ integer_quotient(next_two, b_units) }} * 10
            + {{ integer_quotient(last_one, "2 * " ~ b_units) }}
            as decimal(18, 0)
        ) * cast('0.00001' as decimal(6, 5)) as decimal(18, 5)
    )
{%- endmacro %}
