{{ config(partition_by=partition_by_insert_date(), sort='insert_date', cluster_by='kind') }}

{#- [kind, value, whether it was derived]. Years have four digits in every warehouse's text of a date. -#}
{%- set members = [
    ['date', 'cast(log_date as ' ~ type_text(10) ~ ')', 'false'],
    ['device', 'device', 'false'],
    ['location', 'location', 'false'],
    ['os', 'os', 'false'],
    ['browser', 'browser', 'is_browser_derived'],
] %}

with

int_log as (

    select * from {{ ref('int_log') }}
    where {{ is_day_of_run('insert_date') }}

),

every_value as (

    {% for kind, value, is_derived in members -%}
    select
        insert_date,
        {{ text_literal(kind) }} as kind,
        {{ value }} as member,
        {{ is_derived }} as is_derived
    from int_log
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}

),

final as (

    select distinct
        insert_date,
        kind,
        member,
        is_derived
    from every_value
    where member is not null

)

select * from final
