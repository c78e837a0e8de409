with

int_log_member as (

    select * from {{ ref('int_log_member') }}
    where kind = 'os'

),

operating_system as (

    select * from {{ ref('operating_system') }}

),

delivered as (

    select
        {{ dimension_key('member') }} as id_dim_os,
        min(member) as os
    from int_log_member
    group by 1

),

known as (

    select
        delivered.id_dim_os,
        delivered.os,
        coalesce(operating_system.vendor, 'Unknown') as vendor
    from delivered
    left join operating_system
        on lower(delivered.os) = lower(operating_system.os)

),

unknown as (

    select
        -1 as id_dim_os,
        {{ text_literal('Unknown') }} as os,
        {{ text_literal('Unknown') }} as vendor

),

final as (

    select * from known
    union all
    select * from unknown

)

select * from final
