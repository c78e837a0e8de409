with

int_log as (

    select * from {{ ref('int_log') }}

),

known as (

    select
        {{ dimension_key('device') }} as id_dim_devices,
        -- Spellings that differ only by case are one member.
        min(device) as device
    from int_log
    where device is not null
    group by 1

),

unknown as (

    select
        -1 as id_dim_devices,
        {{ text_literal('Unknown') }} as device

),

final as (

    select * from known
    union all
    select * from unknown

)

select * from final
