{#-
    Incremental strategies beside replace_days, for what is kept of each customer: the rows of the customers touched are deleted and
    written again, all others stay; their days or invoices from the first day that may have changed; and for the history and the cohorts,
    the months to build. Days and months are literals (macros/days/days.sql): what is deleted reads the partitions that hold them.
-#}
{% macro get_incremental_replace_customers_sql(arg_dict) -%}
    {{ replace_days(arg_dict, is_customer_listed_in(relation_of('int_customer_touched'), 'customer_id')) }}
{%- endmacro %}


{% macro get_incremental_replace_active_days_sql(arg_dict) -%}
    {{ replace_from_first_active_day(arg_dict, 'active_date') }}
{%- endmacro %}


{% macro get_incremental_replace_invoices_sql(arg_dict) -%}
    {{ replace_from_first_active_day(arg_dict, 'invoice_date') }}
{%- endmacro %}


{% macro replace_from_first_active_day(arg_dict, date_column) -%}
    {%- set touched = relation_of('int_customer_touched') -%}
    {{ replace_days(
        arg_dict, is_customer_listed_in(touched, 'customer_id') ~ " and " ~ is_active_day_listed_in(touched, date_column)
    ) }}
{%- endmacro %}


{% macro get_incremental_replace_months_to_build_sql(arg_dict) -%}
    {{ replace_days(arg_dict, is_month_to_build(ref('int_month_to_build'), 'as_of_date')) }}
{%- endmacro %}


{% macro get_incremental_replace_cohort_months_sql(arg_dict) -%}
    {%- set first_month = first_month_of_cohorts_to_build(
        relation_of('int_customer_touched'), relation_of('int_customer_spending')
    ) -%}
    {{ replace_days(arg_dict, "active_month >= " ~ first_month) }}
{%- endmacro %}
