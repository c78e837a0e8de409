{%- set tables = tables_to_report() -%}
{%- for unique_id, relation, last_day in tables %}
select
    {{ text_literal(unique_id) }} as unique_id,
    count(*) as row_count,
    {{ last_day }} as last_day
from {{ relation }}
union all
{%- endfor %}
-- If there is none, the report says so.
select
    {{ text_literal('none') }} as unique_id,
    cast(0 as {{ dbt.type_bigint() }}) as row_count,
    cast(null as date) as last_day
