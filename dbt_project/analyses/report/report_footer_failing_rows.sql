{#-
    Some rows that each data test found when it last found any, for the lines below the charts; before any test has found something
    there is no such table.
-#}
{%- set failing_row = source('audit', 'failing_row') -%}
{%- if load_relation(failing_row) is not none %}
with

found as (

    select
        unique_id,
        run_started_at,
        row_text,
        left_out,
        rank() over (
            partition by unique_id
            order by run_started_at desc, invocation_id desc
        ) as recency
    from {{ failing_row }}

)

select
    unique_id,
    run_started_at,
    row_text,
    left_out
from found
where recency = 1
order by unique_id, row_text
{%- else %}
select
    {{ text_literal('none') }} as unique_id,
    cast(null as {{ dbt.type_timestamp() }}) as run_started_at,
    {{ text_literal('none') }} as row_text,
    {{ text_literal('none') }} as left_out
{%- endif %}
