{#-
    The last day of the last month whose segments are to be made, or NULL. Asked when the model is about to be built, so that what is
    compared with it reads no later day, and on most days, when there is no such month, nothing at all.
-#}
{% macro last_month_to_build() -%}
    {%- set months = ref('int_month_to_build') -%}
    {%- set query = "select max(months.month_end) from " ~ months ~ " as months where months.has_segments" -%}
    {%- if not has_rows_to_ask_for(months) -%}
        ({{ query }})
    {%- else -%}
        {%- set found = run_query(query).columns[0].values()[0] -%}
        {{ "cast(null as date)" if found is none else date_literal(found | string) }}
    {%- endif -%}
{%- endmacro %}


{#- True for the ends of months of which segments were made or taken away, as literals. -#}
{% macro is_month_to_build(int_month_to_build, column) -%}
    {%- set months = run_query("select month_end from " ~ int_month_to_build ~ " order by month_end") -%}
    {{ is_one_of_days(column, months.columns[0].values()) }}
{%- endmacro %}


{#- No month before this day is to be built, nor asked for: the first that may be another, or the end of the last one written. -#}
{% macro first_day_of_months_to_build(int_customer_touched, history) -%}
    {%- set earliest = date_literal('0001-01-01') -%}
    {%- if history is none or not has_rows_to_ask_for(int_customer_touched) -%}
        {{ return(earliest) }}
    {%- endif -%}
    {%- set query -%}
        select min(days.first_day)
        from (
            select cast({{ dbt.date_trunc('month', 'min(first_active_date)') }} as date) as first_day
            from {{ int_customer_touched }}
            union all
            select coalesce(max(as_of_date), {{ earliest }}) as first_day
            from {{ history }}
        ) as days
    {%- endset -%}
    {{ return(date_literal(run_query(query).columns[0].values()[0] | string)) }}
{%- endmacro %}
