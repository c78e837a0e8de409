{#-
    The last day of the last month whose segments are to be made from customers' days, or NULL: on the as-of date they are made from
    states. What is compared with it reads no later day, and on most days, when there is no such month, nothing at all.
-#}
{% macro last_month_to_build() -%}
    {%- set months = ref('int_month_to_build') -%}
    {%- set query -%}
        select max(months.month_end)
        from {{ months }} as months
        inner join {{ ref('int_as_of_date') }} as as_of
            on months.month_end < as_of.as_of_date
        where months.has_segments
    {%- endset -%}
    {{ date_asked_of(months, query) }}
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


{#-
    What is written of cohorts stays for months before this one: the first in which a purchase of a customer touched may be another, the
    last that is written (more of it may be known now, or less), or the last of which anything is known now.
    Customers can go without being touched (erase_customer): where the cohorts that stay have others than the customers' states, all are made.
-#}
{% macro first_month_of_cohorts_to_build(int_customer_touched, int_customer_spending) -%}
    {%- set earliest = date_literal('0001-01-01') -%}
    {%- if flags.FULL_REFRESH or not has_rows_to_ask_for(int_customer_touched) -%}
        {{ return(earliest) }}
    {%- endif -%}
    {%- set cohorts = load_relation(relation_of('customer_cohort_retention')) -%}
    {%- if cohorts is none -%}
        {{ return(earliest) }}
    {%- endif -%}
    {%- set query -%}
        with bounds as (
            select cast({{ dbt.date_trunc('month', 'min(days.day)') }} as date) as first_month
            from (
                select min(first_active_date) as day from {{ int_customer_touched }}
                union all
                select max(active_month) as day from {{ cohorts }}
                union all
                select max(last_invoice_date) as day from {{ int_customer_spending }}
            ) as days
        ),
        kept as (
            select coalesce(sum(cohorts.customer_count), 0) as customers
            from {{ cohorts }} as cohorts
            cross join bounds
            where cohorts.months_since_first = 0 and cohorts.cohort_month < bounds.first_month
        ),
        known as (
            select count(*) as customers
            from {{ int_customer_spending }} as spending
            cross join bounds
            where spending.first_order_date < bounds.first_month
        )
        select case when kept.customers = known.customers then bounds.first_month end
        from bounds
        cross join kept
        cross join known
    {%- endset -%}
    {%- set found = run_query(query).columns[0].values()[0] -%}
    {{ return(earliest if found is none else date_literal(found | string)) }}
{%- endmacro %}
