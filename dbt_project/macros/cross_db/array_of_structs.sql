{#-
    An aggregate: the rows of a group as an array of structs with these columns, in the order of order_by. Where the
    warehouse has such arrays (has_arrays_of_structs); Redshift has none.
-#}
{% macro array_of_structs(columns, order_by) -%}
    {{ return(adapter.dispatch('array_of_structs', 'movie_analytics')(columns, order_by)) }}
{%- endmacro %}

{% macro has_arrays_of_structs() -%}
    {{ return(target.type != 'redshift') }}
{%- endmacro %}

{% macro default__array_of_structs(columns, order_by) -%}
    array_agg(struct_pack(
        {%- for column in columns -%} {{ column }} := {{ column }}{{ ', ' if not loop.last }} {%- endfor -%}
    ) order by {{ order_by }})
{%- endmacro %}

{% macro bigquery__array_of_structs(columns, order_by) -%}
    array_agg(struct({{ columns | join(', ') }}) order by {{ order_by }})
{%- endmacro %}

{#- A disabled model is parsed as well; only one that is built has to fail. -#}
{% macro redshift__array_of_structs(columns, order_by) -%}
    {%- if execute -%}
        {{ exceptions.raise_compiler_error("Redshift has no arrays of structs: disable the model there (has_arrays_of_structs)") }}
    {%- endif -%}
{%- endmacro %}
