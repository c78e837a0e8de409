{% if has_arrays_of_structs() -%}

with

player as (

    select
        1 as team,
        {{ text_literal('b') }} as nickname,
        20 as score
    union all
    select
        1 as team,
        {{ text_literal('a') }} as nickname,
        10 as score
    union all
    select
        2 as team,
        {{ text_literal('c') }} as nickname,
        30 as score

),

team as (

    select
        team,
        {{ array_of_structs(['nickname', 'score'], order_by=['nickname']) }} as players
    from player
    group by team

),

unnested as (

    select
        team.team,
        member.nickname,
        member.score
    from team
    cross join {{ unnest_structs('team.players', 'member') }}

)

select
    coalesce(player.team, unnested.team) as team,
    coalesce(player.nickname, unnested.nickname) as nickname
from player
full outer join unnested
    on
        player.team = unnested.team
        and player.nickname = unnested.nickname
        and player.score = unnested.score
where player.team is null or unnested.team is null

{%- else -%}

select 0 as team
where 1 = 0

{%- endif %}
