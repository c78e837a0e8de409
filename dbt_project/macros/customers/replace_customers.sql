{#-
    Incremental strategies beside replace_days, for what is kept of each customer: the rows of the customers touched are deleted and
    written again, all others stay; their rows from the first day that may have changed; and for the history, the months to build.
-#}
{% macro get_incremental_replace_customers_sql(arg_dict) -%}
    {{ replace_days(arg_dict, is_customer_listed_in(relation_of('int_customer_touched'), 'customer_id')) }}
{%- endmacro %}


{% macro get_incremental_replace_active_days_sql(arg_dict) -%}
    {%- set touched = relation_of('int_customer_touched') -%}
    {{ replace_days(
        arg_dict, is_customer_listed_in(touched, 'customer_id') ~ " and " ~ is_active_day_listed_in(touched, 'active_date')
    ) }}
{%- endmacro %}


{% macro get_incremental_replace_months_to_build_sql(arg_dict) -%}
    {{ replace_days(arg_dict, "as_of_date in (select months.month_end from " ~ ref('int_month_to_build') ~ " as months)") }}
{%- endmacro %}
