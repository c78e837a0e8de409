{#- Outside the condition: dbt must see the dependencies whatever the var is when it parses. -#}
{%- set sources = [
    ['insert_date', ref('int_delivery')],
    ['review_date', ref('int_customer_review')],
    ['invoice_date', ref('int_customer_invoice')],
] -%}

with

{% if var('as_of_date') -%}

final as (

    select {{ date_literal(var('as_of_date')) }} as as_of_date

)

{%- else -%}

days_with_data as (

    {% for day, source in sources -%}
    select max({{ day }}) as latest_day from {{ source }}
    {% if not loop.last %}union all
    {% endif %}
    {%- endfor %}

),

final as (

    select max(latest_day) as as_of_date
    from days_with_data

)

{%- endif %}

select * from final
