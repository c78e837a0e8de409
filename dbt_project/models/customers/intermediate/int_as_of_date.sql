{%- set int_delivery = ref('int_delivery') -%}
{%- do refuse_an_as_of_date_after(int_delivery) -%}

with

final as (

    {% if as_of_date() is none -%}
    select max(insert_date) as as_of_date
    from {{ int_delivery }}
    {%- else -%}
    select {{ date_literal(as_of_date()) }} as as_of_date
    {%- endif %}

)

select * from final
