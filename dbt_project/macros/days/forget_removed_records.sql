{#-
    Removes from int_record_day what the run's days do not deliver any more. int_day_to_build needs these records as long as
    a day that had one of them too may still be as it was before: until every model is built after it. So a run that ended
    in between, or built only some models, leaves them for a later run of the day. They are never wrong, only further days to
    build.
-#}
{% macro forget_removed_records(results, int_record_day, int_review, int_log) %}
    {%- if execute and not flags.EMPTY and every_model_was_built(results) -%}
        {%- set is_of_run = is_day_of_run('insert_date') -%}
        {%- call statement(auto_begin=true) -%}
            delete from {{ int_record_day }}
            where
                {{ is_of_run }}
                and not exists (
                    select 1
                    from (
                        select insert_date, review_id as record_id from {{ int_review }} where {{ is_of_run }}
                        union all
                        select insert_date, log_id as record_id from {{ int_log }} where {{ is_of_run }}
                    ) as delivered
                    where
                        delivered.record_id = {{ int_record_day.identifier }}.record_id
                        and delivered.insert_date = {{ int_record_day.identifier }}.insert_date
                )
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}


{#- Of this project. An ephemeral model is never built. -#}
{% macro every_model_was_built(results) %}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node.unique_id') | list -%}
    {%- set unbuilt = graph.nodes.values()
        | selectattr('package_name', 'equalto', project_name)
        | selectattr('resource_type', 'equalto', 'model')
        | rejectattr('config.materialized', 'equalto', 'ephemeral')
        | rejectattr('unique_id', 'in', built) | list -%}
    {{ return(not unbuilt) }}
{% endmacro %}
