{#- By the as-of date, not by the clock: a day that is built again later writes nothing. -#}
{% snapshot user_segment_history %}

{{ config(
    unique_key='customer_id',
    strategy='check',
    check_cols=['rfm_segment', 'spend_sentiment_quadrant'],
    updated_at='cast(as_of_date as ' ~ dbt.type_timestamp() ~ ')'
) }}

select
    customer_id,
    as_of_date,
    rfm_segment,
    spend_sentiment_quadrant
from {{ ref('user_profile') }}
{% if execute and load_relation(this) is not none -%}
where as_of_date > (select max(history.as_of_date) from {{ this }} as history)
{%- endif %}

{% endsnapshot %}
