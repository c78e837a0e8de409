{#-
    True for every customer whose history may have changed since profiles were last made: those that int_customer_touched lists, or
    all when it says so with a row without a customer. Asked when the model is about to be built, so that a build from
    scratch is a plain table scan, and a customer who is gone is deleted too.
-#}
{% macro is_customer_touched(column) -%}
    {#- Outside the condition: dbt must see the dependency whatever the vars are when it parses. -#}
    {{ is_customer_listed_in(ref('int_customer_touched'), column) }}
{%- endmacro %}


{% macro is_customer_listed_in(int_customer_touched, column) -%}
    {%- if days_of_run() is none or are_all_customers_touched(int_customer_touched) -%}
        true
    {%- else -%}
        {{ column }} in (select touched.customer_id from {{ int_customer_touched }} as touched)
    {%- endif -%}
{%- endmacro %}


{#-
    True for the days on which a customer touched may have other purchases or reviews than before: from the earliest of them on, a literal.
    What adds up of a day stays as it is before that.
-#}
{% macro is_active_day_touched(column) -%}
    {{ is_active_day_listed_in(ref('int_customer_touched'), column) }}
{%- endmacro %}


{% macro is_active_day_listed_in(int_customer_touched, column) -%}
    {%- if days_of_run() is none or are_all_customers_touched(int_customer_touched) -%}
        true
    {%- else -%}
        {%- set first = run_query("select min(first_active_date) from " ~ int_customer_touched).columns[0].values()[0] -%}
        {{ "false" if first is none else column ~ " >= " ~ date_literal(first | string) }}
    {%- endif -%}
{%- endmacro %}


{% macro are_all_customers_touched(int_customer_touched) -%}
    {%- if not has_rows_to_ask_for(int_customer_touched) -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set found = run_query("select count(*) from " ~ int_customer_touched ~ " where customer_id is null") -%}
    {{ return(found.columns[0].values()[0] | int > 0) }}
{%- endmacro %}
