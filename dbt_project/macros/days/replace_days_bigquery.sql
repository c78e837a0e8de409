{#-
    dbt-bigquery's incremental materialization knows merge, insert_overwrite and microbatch only. These two macros take the
    place of its own of the same name, so that it finds the project's strategies (get_incremental_<name>_sql) as dbt does
    for every other warehouse. Its own strategies go their own way.
-#}
{% macro dbt_bigquery_validate_get_incremental_strategy(config) %}
    {%- if is_own_incremental_strategy(config.get('incremental_strategy')) -%}
        {{ return(config.get('incremental_strategy')) }}
    {%- endif -%}
    {{ return(dbt.dbt_bigquery_validate_get_incremental_strategy(config)) }}
{% endmacro %}

{% macro bq_generate_incremental_build_sql(
    strategy, tmp_relation, target_relation, sql, unique_key, partition_by, partitions, dest_columns,
    tmp_relation_exists, copy_partitions, incremental_predicates
) %}
    {%- if is_own_incremental_strategy(strategy) -%}
        {%- set strategy_macro = adapter.get_incremental_strategy_macro(context, strategy) -%}
        {{ return(strategy_macro({
            'target_relation': target_relation, 'temp_relation': tmp_relation, 'unique_key': unique_key,
            'dest_columns': dest_columns, 'incremental_predicates': incremental_predicates,
        })) }}
    {%- endif -%}
    {{ return(dbt.bq_generate_incremental_build_sql(
        strategy, tmp_relation, target_relation, sql, unique_key, partition_by, partitions, dest_columns,
        tmp_relation_exists, copy_partitions, incremental_predicates
    )) }}
{% endmacro %}

{% macro is_own_incremental_strategy(strategy) %}
    {{ return((strategy or '').startswith('replace_')) }}
{% endmacro %}
