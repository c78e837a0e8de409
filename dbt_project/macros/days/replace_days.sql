{#-
    Two incremental strategies that replace whole days: all rows of the days are deleted, then the days' new rows are
    inserted, in one transaction. Other than delete+insert they also empty a day that has no rows any more, and other
    than microbatch they do a range of days in one statement.
-#}

{#- For models in which a day depends on nothing but its own staged data. -#}
{% macro get_incremental_replace_days_of_run_sql(arg_dict) -%}
    {{ replace_days(arg_dict, is_day_of_run('insert_date')) }}
{%- endmacro %}


{#- For models in which days depend on each other through duplicates and late logs. -#}
{% macro get_incremental_replace_days_to_build_sql(arg_dict) -%}
    {{ replace_days(arg_dict, is_day_to_build('insert_date')) }}
{%- endmacro %}


{% macro replace_days(arg_dict, days) -%}
    {{ return(adapter.dispatch('replace_days', 'movie_analytics')(arg_dict, days)) }}
{%- endmacro %}

{#- dbt runs both statements in one transaction. -#}
{% macro default__replace_days(arg_dict, days) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }} where {{ days }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }};
{%- endmacro %}

{% macro bigquery__replace_days(arg_dict, days) -%}
    begin transaction;
    {{ default__replace_days(arg_dict, days) }}
    commit transaction;
{%- endmacro %}
