with

int_log_member as (

    select * from {{ ref('int_log_member') }}
    where kind = 'browser'

),

known as (

    select
        {{ browser_key('member', 'is_derived') }} as id_dim_browser,
        min(member) as browser,
        is_derived
    from int_log_member
    group by 1, 3

),

unknown as (

    select
        -1 as id_dim_browser,
        {{ text_literal('Unknown') }} as browser,
        false as is_derived

),

final as (

    select * from known
    union all
    select * from unknown

)

select * from final
