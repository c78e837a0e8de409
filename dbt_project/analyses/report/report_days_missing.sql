-- Days between the first and the last of the ledger that the marts lack, from the last back.
with

built as (

    select distinct insert_date from {{ source('audit', 'day_built') }}

),

in_ledger as (

    select distinct insert_date from {{ ref('ledger') }}

),

span as (

    select
        min(insert_date) as first_day,
        max(insert_date) as last_day
    from in_ledger

)

select
    dim_date.log_date as insert_date,
    case
        when in_ledger.insert_date is null then 'not staged'
        else 'no build of it has ended well'
    end as what_is_missing
from {{ ref('dim_date') }} as dim_date
inner join span
    on dim_date.log_date between span.first_day and span.last_day
left join in_ledger
    on dim_date.log_date = in_ledger.insert_date
left join built
    on dim_date.log_date = built.insert_date
where in_ledger.insert_date is null or built.insert_date is null
order by dim_date.log_date desc
