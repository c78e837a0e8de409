{#-
    Each data test's last result, for the lines below the charts; where dbt has recorded nothing yet there is nothing to tell.
-#}
{%- set run_result = source('audit', 'run_result') -%}
{%- if load_relation(run_result) is not none %}
with

results as (

    select
        unique_id,
        status,
        failures,
        run_started_at,
        row_number() over (
            partition by unique_id
            order by run_started_at desc, invocation_id desc
        ) as recency
    from {{ run_result }}
    where resource_type = 'test'

)

select
    unique_id,
    status,
    failures,
    run_started_at
from results
where recency = 1
{%- else %}
select
    {{ text_literal('none') }} as unique_id,
    {{ text_literal('none') }} as status,
    cast(null as {{ dbt.type_bigint() }}) as failures,
    cast(null as {{ dbt.type_timestamp() }}) as run_started_at
{%- endif %}
