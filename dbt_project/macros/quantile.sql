{#-
    Which of so many equal parts of all rows of its partition a row falls into, 1 (lowest) and up: 1 + the whole part of
    parts × (rows below + half of the rows level with it) / rows. Rows with equal values are in the same part, and no order
    among them decides; so it is the same in every warehouse (ntile is not).
-#}
{% macro quantile(column, parts, partition_by) -%}
    cast(
        1 + {{ integer_quotient(
            parts ~ " * (2 * (rank() over (partition by " ~ partition_by ~ " order by " ~ column ~ ") - 1)"
            ~ " + count(*) over (partition by " ~ partition_by ~ ", " ~ column ~ "))",
            "2 * count(*) over (partition by " ~ partition_by ~ ")"
        ) }} as {{ dbt.type_int() }}
    )
{%- endmacro %}
