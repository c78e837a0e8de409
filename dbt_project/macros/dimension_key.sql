{#- The key of a dimension's member from its natural key: a surrogate key, or -1 (the unknown member) for NULL. -#}
{% macro dimension_key(column, qualifiers=[]) -%}
    case when {{ column }} is null then -1 else {{ surrogate_key([column] + qualifiers) }} end
{%- endmacro %}


{#- The keys of the five dimensions from what a review's log says, as columns. -#}
{% macro dimension_keys_of_log() -%}
    coalesce({{ date_key('log_date') }}, -1) as id_dim_date,
        {{ dimension_key('device') }} as id_dim_devices,
        {{ dimension_key('location') }} as id_dim_location,
        {{ dimension_key('os') }} as id_dim_os,
        {{ browser_key('browser', 'is_browser_derived') }} as id_dim_browser
{%- endmacro %}


{#- A browser that was derived is another member than the same one that was delivered. (Redshift casts no boolean to text.) -#}
{% macro browser_key(browser, is_derived) -%}
    {{ dimension_key(browser, ["case when " ~ is_derived ~ " then 'derived' else 'delivered' end"]) }}
{%- endmacro %}
