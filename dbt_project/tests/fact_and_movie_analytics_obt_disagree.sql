{%- set is_to_build = is_day_to_build('insert_date') %}

with

fact as (

    select * from {{ ref('fact_movie_analytics') }}
    where {{ is_to_build }}

),

obt as (

    select * from {{ ref('movie_analytics_obt') }}
    where {{ is_to_build }}

)

select coalesce(fact.id_fact_movie_analytics, obt.id_fact_movie_analytics) as id_fact_movie_analytics
from fact
full outer join obt
    on fact.id_fact_movie_analytics = obt.id_fact_movie_analytics
group by 1
having
    count(*) <> 1
    or count(fact.id_fact_movie_analytics) <> 1
    or sum(case
        when
            fact.amount_spent = obt.amount_spent
            and fact.review_score = obt.review_score
            and fact.review_count = obt.review_count
            then 1
        else 0
    end) <> 1
