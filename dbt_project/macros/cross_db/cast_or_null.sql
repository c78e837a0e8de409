{#-
    A text as 'bigint', 'date' (yyyy-mm-dd) or 'decimal(p, s)', exactly; NULL when it is none, out of range, or has more
    decimals than s. Blanks around it do not count. (No 'int': BigQuery's has 64 bits, so the ranges would differ.)

    A pattern says what may be cast, since the casts themselves differ: DuckDB takes '1.5' for the integer 2 and '1e3' for
    1000, Redshift's fails on an empty text, BigQuery's on a decimal that is too large. (Not named safe_cast: that is a macro
    of dbt, which unit tests use.)
-#}
{% macro cast_or_null(text, type) -%}
    {%- set patterns = {'bigint': '^[+-]?[0-9]+$', 'date': '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'} -%}
    {%- set decimal = modules.re.match('decimal\((\d+), (\d+)\)$', type) -%}
    {%- if decimal -%}
        {%- set precision, scale = decimal.group(1) | int, decimal.group(2) | int -%}
        {%- set fraction = '([.][0-9]{1,' ~ scale ~ '})?' if scale else '' -%}
        {%- do patterns.update({type: '^[+-]?0*[0-9]{1,' ~ (precision - scale) ~ '}' ~ fraction ~ '$'}) -%}
    {%- elif type not in patterns -%}
        {{ exceptions.raise_compiler_error("cast_or_null: no type '" ~ type ~ "'; it has bigint, date and decimal(p, s)") }}
    {%- endif -%}
    {{ return(adapter.dispatch('cast_or_null', 'movie_analytics')(
        "trim(" ~ text ~ ")", patterns[type], dbt.type_bigint() if type == 'bigint' else type
    )) }}
{%- endmacro %}

{% macro default__cast_or_null(text, pattern, type) -%}
    case when regexp_full_match({{ text }}, '{{ pattern }}') then try_cast({{ text }} as {{ type }}) end
{%- endmacro %}

{#- The condition is inside of try_cast, which fails on a blank text and gives NULL for NULL: outside, it would have to be evaluated first. -#}
{% macro redshift__cast_or_null(text, pattern, type) -%}
    try_cast(case when {{ text }} ~ '{{ pattern }}' then {{ text }} end as {{ type }})
{%- endmacro %}

{% macro bigquery__cast_or_null(text, pattern, type) -%}
    case
        when regexp_contains({{ text }}, '{{ pattern }}')
            then safe_cast({{ text }} as {{ type | replace('decimal', 'numeric') }})
    end
{%- endmacro %}
