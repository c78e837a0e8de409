{#-
    A post-hook of the marts: on BigQuery, makes or replaces a view of the mart, without the columns whose meta has `personal_data`, in the
    dataset `<schema>_reading`, which is all that readers have (terraform/modules/gcp/warehouse). In the dataset of marts they would see a table's customer_id until it has its
    policy tag, and in dbt's temporary tables. On Redshift the administrator makes such views (terraform/deploy/databases/redshift.sh).

    The wide view and the profiles are not among them: the one joins by customer, the other's rows are persons.
-#}
{% macro view_for_readers() %}
    {%- set for_readers = [
        'fact_movie_analytics', 'dim_date', 'dim_devices', 'dim_location', 'dim_os', 'dim_browser', 'customer_cohort_retention',
    ] -%}
    {%- if execute and target.type == 'bigquery' and model.name in for_readers -%}
        {%- set view = api.Relation.create(database=this.database, schema=target.schema ~ '_reading', identifier=this.identifier) -%}
        {%- do adapter.create_schema(view) -%}
        {#- As in pages/export.py: no column that is marked. -#}
        {%- set columns = [] -%}
        {%- for column in model.columns.values() if not column.config.meta.get('personal_data') -%}
            {%- do columns.append(column.name) -%}
        {%- endfor %}
        create or replace view {{ view }} as
        select {{ columns | join(', ') }} from {{ this }}
    {%- endif -%}
{% endmacro %}
