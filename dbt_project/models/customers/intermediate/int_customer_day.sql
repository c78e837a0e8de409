{{ config(partition_by=partition_by_insert_date(), sort='insert_date', dist='customer_id') }}

{%- set is_to_build = is_day_to_build('insert_date') %}
{#-
    What an invoice adds up to is dated by its first line, which may be of an earlier day. The invoices that were known before are
    written after this, so they cannot be a ref(): they are looked for where they are written. A unit test has none.
-#}
{%- set can_be_asked = execute and model.resource_type == 'model' and not flags.FULL_REFRESH -%}
{%- set known_invoices = load_relation(relation_of('int_customer_invoice')) if can_be_asked else none %}

with

lines as (

    select
        *,
        cast(min(invoiced_at) over (partition by customer_id, invoice_number) as date) as invoice_date
    from {{ ref('int_purchase_line') }}
    where {{ is_to_build }}

),

lines_of_day as (

    select
        lines.insert_date,
        lines.customer_id,
        {% if known_invoices is none -%}
        min(lines.invoice_date) as first_active_date,
        {%- else -%}
        min(case
            when known_invoices.invoice_date < lines.invoice_date then known_invoices.invoice_date
            else lines.invoice_date
        end) as first_active_date,
        {%- endif %}
        {{ fingerprint([
            'lines.invoice_number', 'lines.stock_code', 'lines.country', 'lines.invoiced_at', 'lines.quantity', 'lines.amount'
        ]) }} as fingerprint
    from lines
    {% if known_invoices is not none -%}
    left join {{ known_invoices }} as known_invoices
        on lines.customer_id = known_invoices.customer_id and lines.invoice_number = known_invoices.invoice_number
    {%- endif %}
    group by lines.insert_date, lines.customer_id

),

reviews_of_day as (

    select
        insert_date,
        customer_id,
        min(case when log_date < insert_date then log_date else insert_date end) as first_active_date,
        {{ fingerprint([
            'review_id', 'positive_review', 'log_date', 'id_dim_devices', 'id_dim_location', 'id_dim_os', 'id_dim_browser'
        ]) }} as fingerprint
    from {{ ref('int_attributed_review') }}
    where {{ is_to_build }} and customer_id is not null
    group by insert_date, customer_id

),

days as (

    select * from lines_of_day
    union all
    select * from reviews_of_day

),

final as (

    select
        insert_date,
        customer_id,
        min(first_active_date) as first_active_date,
        cast(sum(fingerprint) as decimal(28, 0)) as fingerprint
    from days
    group by insert_date, customer_id

)

select * from final
