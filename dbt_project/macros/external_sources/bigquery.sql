{#- BigQuery: external tables over Hive-partitioned folders. They see new days and replaced files by themselves. -#}

{% macro bigquery__external_types() %}
    {{ return({
        'string': 'string', 'int': 'int64', 'bigint': 'int64', 'double': 'float64', 'decimal': 'numeric',
        'boolean': 'bool', 'date': 'date', 'timestamp': 'timestamp',
    }) }}
{% endmacro %}
