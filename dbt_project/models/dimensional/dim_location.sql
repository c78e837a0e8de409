with

int_log_member as (

    select * from {{ ref('int_log_member') }}
    where kind = 'location'

),

us_state as (

    select * from {{ ref('us_state') }}

),

delivered as (

    select
        {{ dimension_key('member') }} as id_dim_location,
        min(member) as location
    from int_log_member
    group by 1

),

known as (

    select
        delivered.id_dim_location,
        delivered.location,
        coalesce(us_state.region, 'Unknown') as region,
        coalesce(us_state.division, 'Unknown') as division,
        -- The split that leaves out no state: the Census region West against all others.
        case
            when us_state.region is null then 'Unknown'
            when us_state.region = 'West' then 'West'
            else 'East'
        end as coast
    from delivered
    left join us_state
        on delivered.location = us_state.state

),

unknown as (

    select
        -1 as id_dim_location,
        {{ text_literal('Unknown') }} as location,
        {{ text_literal('Unknown') }} as region,
        {{ text_literal('Unknown') }} as division,
        {{ text_literal('Unknown') }} as coast

),

final as (

    select * from known
    union all
    select * from unknown

)

select * from final
