{#- Delivery rows that name another run than the one that a scheduler has checked (DBT_CHECKED_RUNS, macro checked_runs); none
    without a scheduler. -#}
{% test run_is_checked(model) %}
{%- set checked = checked_runs() -%}
select
    insert_date,
    table_name,
    run
from {{ model }}
where
    {%- if checked %}
    not (
        {%- for table_name, run in checked.items() %}
        (table_name = '{{ table_name }}' and {{ "run is null" if run is none else "run = '" ~ run ~ "'" }})
        {%- if not loop.last %} or{% endif %}
        {%- endfor %}
    )
    {%- else %}
    false
    {%- endif %}
{% endtest %}
