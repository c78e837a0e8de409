{#-
    Of a table's row: without a table Redshift would ask its leader node, which is another engine than the one that builds the models
    (https://docs.aws.amazon.com/redshift/latest/dg/c_sql-functions-leader-node.html). `no_text` is an empty text that is computed from
    it, so that no expression is a constant.
-#}
{#- [what, expression, expected]. The numbers are the first 15 hex digits of the md5 as Python's hashlib gives it. -#}
{%- set cases = [
    ['hex_to_bigint', hex_to_bigint("'ff' || no_text"), 255],
    ['hex_to_bigint of 15 digits', hex_to_bigint("'fffffffffffffff'"), 1152921504606846975],
    ['surrogate_key of a text, case ignored', surrogate_key(["'TABLET' || no_text"]), 886658981045699336],
    ['surrogate_key of a text of 455 bytes', surrogate_key(["repeat('é-', 150) || state"]), 611664899622371939],
    ['surrogate_key of a date and a number', surrogate_key([date_literal('2021-01-31'), '42']), 933166528385905687],
    ['surrogate_key of NULL', surrogate_key(["cast(null as " ~ type_text() ~ ")", "'a' || no_text"]), 1022118372638303700],
    ['integer_quotient', integer_quotient('7', '2'), 3],
    ['integer_quotient beyond a double', integer_quotient('9007199254740993', '1'), 9007199254740993],
    ['date_key', date_key(date_literal('2021-01-31')), 20210131],
    ['add_days over a leap day', date_key(add_days(date_literal('2020-02-28'), 2)), 20200301],
    ['add_days backwards', date_key(add_days(date_literal('2021-01-01'), -1)), 20201231],
    ['cast_or_null with blanks', cast_or_null("' -7 ' || no_text", 'bigint'), -7],
    ['cast_or_null beyond a double', cast_or_null("'9007199254740993'", 'bigint'), 9007199254740993],
    ['cast_or_null to decimal', "cast(100 * " ~ cast_or_null("'+12.34'", 'decimal(8, 2)') ~ " as " ~ dbt.type_bigint() ~ ")", 1234],
    ['cast_or_null with leading zeros', "cast(" ~ cast_or_null("'000999999.99'", 'decimal(8, 2)') ~ " * 100 as " ~ dbt.type_bigint() ~ ")", 99999999],
    ['cast_or_null to a decimal without decimals', "cast(" ~ cast_or_null("'12'", 'decimal(8, 0)') ~ " as " ~ dbt.type_bigint() ~ ")", 12],
    ['rounded_quotient', rounded_quotient('2', '3') ~ " * 100000", 66667],
    ['rounded_quotient, half up', rounded_quotient("cast('0.00001' as decimal(18, 5))", '2') ~ " * 100000", 1],
    ['rounded_quotient of decimals', rounded_quotient("cast('1.50000' as decimal(18, 5))", "cast('0.25' as decimal(18, 5))") ~ " * 100000", 600000],
    ['rounded_quotient of millions', "cast(" ~ rounded_quotient("cast('149476380.34000' as decimal(18, 5))", '7') ~ " as decimal(23, 5)) * 100000", 2135376862000],
    ['rounded_quotient of the largest', "cast(" ~ rounded_quotient("cast('9999999999999.99999' as decimal(18, 5))", '3') ~ " as decimal(23, 5)) * 100000", 333333333333333333],
    ['rounded_quotient by billions', "cast(" ~ rounded_quotient("cast('899999999999.99999' as decimal(18, 5))", "cast('880000000000.00001' as decimal(18, 5))") ~ " as decimal(23, 5)) * 100000", 102273],
    ['wilson_lower_bound of 1 of 1', wilson_lower_bound('1', '1') ~ " * 100000", 20655],
    ['wilson_lower_bound of 100 of 100', wilson_lower_bound('100', '100') ~ " * 100000", 96301],
    ['wilson_lower_bound of 0 of 3', wilson_lower_bound('0', '3') ~ " * 100000", 0],
    ['quoted, of all that may end a text', "length(" ~ quoted("it's \\ and\r\n-- ") ~ " || no_text)", 15],
    ['quoted, a backslash before a quote', "length(replace(" ~ quoted("\\'") ~ " || no_text, " ~ quoted("'") ~ ", ''))", 1],
    ['cast_or_null to date', date_key(cast_or_null("'2020-02-29'", 'date')), 20200229],
] -%}
{#- Texts that cast_or_null turns into NULL. -#}
{%- set no_values = [
    ['1.5', 'bigint'], ['1e3', 'bigint'], ['', 'bigint'], [' ', 'bigint'], ['9223372036854775808', 'bigint'],
    ['0.125', 'decimal(8, 2)'], ['1234567', 'decimal(8, 2)'], ['1.', 'decimal(8, 2)'], ['1.0', 'decimal(8, 0)'],
    ['2021-02-29', 'date'], ['29-02-2020', 'date'], ['2020-2-29', 'date'], [' 2020-02-29 00:00', 'date'],
] -%}

with

texas as (

    select
        state,
        substring(state, 6, 1) as no_text
    from {{ ref('us_state') }}
    where state = 'Texas'

),

results as (

    {% for what, expression, expected in cases -%}
    select
        '{{ what }}' as what,
        cast({{ expression }} as {{ dbt.type_bigint() }}) as result,
        {{ expected }} as expected
    from texas
    union all
    {% endfor %}
    {% for text, type in no_values -%}
    select
        'cast_or_null of "{{ text }}" to {{ type }}' as what,
        case when {{ cast_or_null(text_literal(text) ~ " || no_text", type) }} is null then 0 else 1 end as result,
        0 as expected
    from texas
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

days as (

    select
        count(*) as result,
        count(distinct day_date) as different,
        min(day_date) as first_day,
        max(day_date) as last_day
    from ({{ days_between('2019-12-31', '2022-12-31') }}) as calendar

)

select what, cast(result as {{ type_text() }}) as result
from results
where coalesce(result <> expected, true)

union all

select 'days_between' as what, cast(result as {{ type_text() }}) as result
from days
where
    result <> 1097
    or different <> 1097
    or first_day <> {{ date_literal('2019-12-31') }}
    or last_day <> {{ date_literal('2022-12-31') }}
