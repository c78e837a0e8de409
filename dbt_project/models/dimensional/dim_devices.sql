with

int_log_member as (

    select * from {{ ref('int_log_member') }}
    where kind = 'device'

),

known as (

    select
        {{ dimension_key('member') }} as id_dim_devices,
        -- Spellings that differ only by case are one member.
        min(member) as device
    from int_log_member
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
