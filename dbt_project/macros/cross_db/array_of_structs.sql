{#-
    An aggregate: the rows of a group as an array of structs with these columns, in the order of the columns of order_by. Where the
    warehouse has such arrays (has_arrays_of_structs); Redshift has none.
-#}
{% macro array_of_structs(columns, order_by) -%}
    {{ return(adapter.dispatch('array_of_structs', 'movie_analytics')(columns, order_by)) }}
{%- endmacro %}

{% macro has_arrays_of_structs() -%}
    {{ return(target.type != 'redshift') }}
{%- endmacro %}

{#- In DuckDB an ordered aggregate holds all its input in memory, twice what arrays take that are sorted once they are whole. -#}
{% macro default__array_of_structs(columns, order_by) -%}
    list_transform(list_sort(array_agg(struct_pack(
        place := row({{ order_by | join(', ') }}),
        element := struct_pack(
            {%- for column in columns -%} {{ column }} := {{ column }}{{ ', ' if not loop.last }} {%- endfor -%}
        )
    ))), lambda placed: struct_extract(placed, 'element'))
{%- endmacro %}

{% macro bigquery__array_of_structs(columns, order_by) -%}
    array_agg(struct({{ columns | join(', ') }}) order by {{ order_by | join(', ') }})
{%- endmacro %}

{#- A disabled model is parsed as well; only one that is built has to fail. -#}
{% macro redshift__array_of_structs(columns, order_by) -%}
    {%- if execute -%}
        {{ exceptions.raise_compiler_error("Redshift has no arrays of structs: disable the model there (has_arrays_of_structs)") }}
    {%- endif -%}
{%- endmacro %}
