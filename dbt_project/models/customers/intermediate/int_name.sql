with

final as (

    {% for kind, member, spelling in [
        ['device', 'id_dim_devices', 'device'],
        ['location', 'id_dim_location', "location || '|' || region"],
        ['os', 'id_dim_os', 'os'],
        ['browser', 'id_dim_browser', 'browser'],
    ] -%}
    select
        {{ text_literal(kind) }} as kind,
        cast({{ member }} as {{ type_text() }}) as member_key,
        {{ spelling }} as spelling
    from {{ ref('dim_devices' if kind == 'device' else 'dim_' ~ kind) }}

    union all

    {% endfor -%}

    select
        {{ text_literal('code') }} as kind,
        stock_code as member_key,
        stock_code as spelling
    from {{ ref('non_product_code') }}

)

select * from final
