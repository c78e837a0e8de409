{#-
    Hook, before the first state is written: a run with as_of_date empties int_name_profiled, so that the next run makes all customers,
    also if this one dies when some states are of the past day and others are not.
-#}
{% macro forget_names_profiled() -%}
    {%- set names = load_relation(relation_of('int_name_profiled')) if execute and as_of_date() is not none else none -%}
    {%- if names is not none -%}
        delete from {{ names }} where true
    {%- endif -%}
{%- endmacro %}
