-- By the day in the log; reviews without a log have none.
select
    dim_date.log_date,
    sum(fact.review_count) as review_count,
    sum(fact.review_score) as review_score
from {{ ref('fact_movie_analytics') }} as fact
inner join {{ ref('dim_date') }} as dim_date
    on fact.id_dim_date = dim_date.id_dim_date
where fact.review_count > 0
group by dim_date.log_date
order by dim_date.log_date
