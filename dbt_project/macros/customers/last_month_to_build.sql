{#-
    The last day of the last month whose segments are to be made, or NULL. Asked when the model is about to be built, so that what is
    compared with it reads no later day, and on most days, when there is no such month, nothing at all.
-#}
{% macro last_month_to_build() -%}
    {%- set months = ref('int_month_to_build') -%}
    {%- set query = "select max(months.month_end) from " ~ months ~ " as months where months.has_segments" -%}
    {%- if not has_rows_to_ask_for(months) -%}
        ({{ query }})
    {%- else -%}
        {%- set found = run_query(query).columns[0].values()[0] -%}
        {{ "cast(null as date)" if found is none else date_literal(found | string) }}
    {%- endif -%}
{%- endmacro %}
