-- depends_on: {{ ref('user_profile') }}
-- depends_on: {{ ref('int_customer_invoice') }}
{% if has_arrays_of_structs() -%}
-- depends_on: {{ ref('customer_history_nested') }}
{%- endif %}
{{ config(partition_by=partition_by_insert_date(), sort='insert_date', dist='customer_id') }}

select * from {{ ref('int_customer_day') }}
where {{ is_day_to_build('insert_date') }}
