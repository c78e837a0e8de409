{#-
    Rows that share their values in all of the columns; NULL counts as a value. With `days: of_run` only the days that the run
    brought in are read: for a table of many days whose key has the insert_date, and where a run replaces no other day.
-#}
{% test unique_together(model, columns, days=none) %}
select
    {{ columns | join(', ') }},
    count(*) as number_of_rows
from {{ model }}
{% if days == 'of_run' -%}
where {{ is_day_of_run('insert_date') }}
{% endif -%}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
