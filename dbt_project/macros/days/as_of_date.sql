{#-
    The day that profiles describe, where it is asked for: the var `as_of_date` as an ISO text, or none. A profile of another
    day is made whole, so the var goes with no range.
-#}
{% macro as_of_date() -%}
    {%- set asked = var('as_of_date', none) -%}
    {%- if asked is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- if not is_iso_date(asked | string) -%}
        {{ exceptions.raise_compiler_error(
            "The var as_of_date is '" ~ asked ~ "'. Give a day as YYYY-MM-DD, for example --vars '{as_of_date: 2021-01-31}'."
        ) }}
    {%- endif -%}
    {%- if days_of_run() is not none -%}
        {{ exceptions.raise_compiler_error(
            "The var as_of_date goes with neither from_date nor to_date: profiles of another day are made from all data. "
            ~ "Build the days first, then the profiles: dbt build --select int_as_of_date+ --vars '{as_of_date: " ~ asked ~ "}'."
        ) }}
    {%- endif -%}
    {{ return(asked | string) }}
{%- endmacro %}


{#- The as-of date of a build; what is compared with it reads no other days. -#}
{% macro as_of_date_known(int_as_of_date) -%}
    {#- max: with --empty there is no row. -#}
    {{ date_asked_of(int_as_of_date, "select max(as_of_date) from " ~ int_as_of_date) }}
{%- endmacro %}


{#- Whether a text is a day of the calendar, as YYYY-MM-DD. Jinja knows no exceptions: the day is looked for in its month. -#}
{% macro is_iso_date(text) -%}
    {%- if not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', text) -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set year, month, day = text[:4] | int, text[5:7] | int, text[8:] | int -%}
    {%- if year < 1 or month < 1 or month > 12 or day < 1 -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set is_leap_year = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) -%}
    {%- set days_of_month = [31, 29 if is_leap_year else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] -%}
    {{ return(day <= days_of_month[month - 1]) }}
{%- endmacro %}


{#-
    Refuses an as-of date of which not all is known yet: one that is later than the latest delivery. Asked when the model is
    about to be built, so that the days of this run count; a unit test has no deliveries to ask.
-#}
{% macro refuse_an_as_of_date_after(deliveries) -%}
    {%- if as_of_date() is not none and execute and flags.WHICH in ['build', 'run'] and model.resource_type == 'model' -%}
        {%- set latest = run_query("select max(insert_date) from " ~ deliveries).columns[0].values()[0] | string -%}
        {%- if as_of_date() > latest -%}
            {{ exceptions.raise_compiler_error(
                "The var as_of_date is " ~ as_of_date() ~ ", but the latest day that was delivered is " ~ latest
                ~ ". Give that day or an earlier one."
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
