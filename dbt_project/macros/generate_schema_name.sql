{#-
    Schemas are `<target schema>_<layer>`: analytics_staging, analytics_marts, …; the same in every warehouse (a BigQuery
    dataset is dbt's schema). A model or seed without a layer would land in a schema that nobody looks into: it is refused.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is not none -%}
        {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- elif node.resource_type in ['model', 'seed', 'snapshot'] -%}
        {{ exceptions.raise_compiler_error(
            node.name ~ " has no schema: put it into a folder that dbt_project.yml gives one, or set +schema."
        ) }}
    {%- else -%}
        {{ target.schema }}
    {%- endif -%}
{%- endmacro %}
