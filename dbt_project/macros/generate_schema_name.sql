{#-
    Schemas are `<target schema>_<layer>`: analytics_staging, analytics_marts, …; the same in every warehouse (a BigQuery
    dataset is dbt's schema). A model or seed of this project without a layer would land in a schema that no one looks
    into: it is refused. Those of a package are where dbt puts them, `<target schema>` when the package names none.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none and node.package_name == project_name
        and node.resource_type in ['model', 'seed', 'snapshot'] -%}
        {{ exceptions.raise_compiler_error(
            node.name ~ " has no schema: put it into a folder to which dbt_project.yml gives one, or set +schema."
        ) }}
    {%- endif -%}
    {{ default__generate_schema_name(custom_schema_name, node) }}
{%- endmacro %}
