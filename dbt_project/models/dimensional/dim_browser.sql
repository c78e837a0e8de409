with

int_log as (

    select * from {{ ref('int_log') }}

),

known as (

    select
        {{ browser_key('browser', 'is_browser_derived') }} as id_dim_browser,
        min(browser) as browser,
        is_browser_derived as is_derived
    from int_log
    where browser is not null
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
