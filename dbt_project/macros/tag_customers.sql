{#-
    A post-hook of the marts: on BigQuery, puts the policy tag BIGQUERY_CUSTOMER_POLICY_TAG on the column customer_id, where
    there is one; a view has its tables' tags. Terraform decides who may see through the tag; all others see null. Without the variable, and in the
    other warehouses, it does nothing: on Redshift the readers have views without the column
    (terraform/deploy/databases/redshift.sh).
-#}
{% macro tag_customers() %}
    {%- set tag = env_var('BIGQUERY_CUSTOMER_POLICY_TAG', '') -%}
    {%- if execute and target.type == 'bigquery' and tag and model.config.schema == 'marts'
        and model.config.materialized != 'view'
        and 'customer_id' in model.columns -%}
        {%- do adapter.update_columns(this, {
            'customer_id': {'description': model.columns['customer_id'].description, 'policy_tags': [tag]},
        }) -%}
    {%- endif -%}
{% endmacro %}
