{#-
    What profiles were made from and the invoices as they were are written after this, so they cannot be a ref(): they are looked for
    where they are written. Without a range, and as long as they are not there, all customers are made. (dbt must see the dependencies
    whatever the vars are when it parses.)
-#}
-- Profiles of a past day are of all customers (dbt build --select int_as_of_date+).
-- depends_on: {{ ref('int_as_of_date') }}
{{ config(pre_hook="{{ forget_names_profiled() }}") }}
{%- set int_customer_day, int_name = ref('int_customer_day'), ref('int_name') -%}
{%- set int_purchase_line = ref('int_purchase_line') -%}
{%- set days, names, invoices = none, none, none -%}
{%- set of_days_to_build = is_day_to_build('insert_date') -%}
{#- A unit test has nothing to compare with. -#}
{%- if execute and model.resource_type == 'model' and days_of_run() is not none and not flags.FULL_REFRESH -%}
    {%- set days = load_relation(relation_of('int_customer_day_profiled')) -%}
    {%- set names = load_relation(relation_of('int_name_profiled')) -%}
    {%- set invoices = load_relation(relation_of('int_customer_invoice')) -%}
{%- endif %}

with

{% if days is none or names is none or invoices is none -%}

final as (

    select
        cast(null as {{ dbt.type_int() }}) as customer_id,
        {{ date_literal('0001-01-01') }} as first_active_date

)

{%- else -%}

int_customer_day as (

    select * from {{ int_customer_day }}
    where {{ of_days_to_build }}

),

lines_to_build as (

    select distinct
        customer_id,
        invoice_number
    from {{ int_purchase_line }}
    where {{ of_days_to_build }}

),

int_name as (

    select * from {{ int_name }}

),

int_customer_day_profiled as (

    select * from {{ days }}
    where {{ of_days_to_build }}

),

int_name_profiled as (

    select * from {{ names }}

),

days_changed as (

    select
        coalesce(int_customer_day.customer_id, profiled.customer_id) as customer_id,
        int_customer_day.first_active_date,
        profiled.first_active_date as first_active_date_before
    from int_customer_day
    full outer join int_customer_day_profiled as profiled
        on
            int_customer_day.insert_date = profiled.insert_date
            and int_customer_day.customer_id = profiled.customer_id
    where coalesce(int_customer_day.fingerprint <> profiled.fingerprint, true)

),

touched as (

    select
        customer_id,
        min(case
            when first_active_date_before < first_active_date then first_active_date_before
            else coalesce(first_active_date, first_active_date_before)
        end) as first_active_date
    from days_changed
    group by customer_id

),

-- An invoice counts on the day of its first line. These are the known ones that may have gained, changed or lost a line.
invoices_changed as (

    select
        invoices.customer_id,
        min(invoices.invoice_date) as first_active_date
    from touched
    inner join {{ invoices }} as invoices
        on touched.customer_id = invoices.customer_id
    left join lines_to_build
        on
            invoices.customer_id = lines_to_build.customer_id
            and invoices.invoice_number = lines_to_build.invoice_number
    where
        cast(invoices.last_line_at as date) >= touched.first_active_date
        or lines_to_build.invoice_number is not null
    group by invoices.customer_id

),

-- A new member is in new reviews alone, a new code is in old lines too. Nothing is there after a run with as_of_date.
names_changed as (

    select count(*) as changes
    from int_name
    full outer join int_name_profiled as profiled
        on
            int_name.kind = profiled.kind
            and int_name.member_key = profiled.member_key
    where
        int_name.spelling <> profiled.spelling
        or (
            (int_name.member_key is null or profiled.member_key is null)
            and coalesce(int_name.kind, profiled.kind) = {{ text_literal('code') }}
        )

),

-- The NULL that stands for all is that of no row, and has its type: of a literal one a UNION may make VARCHAR on Redshift
-- (dbt-redshift#659).
nobody as (

    select max(customer_id) as customer_id
    from touched
    where customer_id is null

),

final as (

    select
        touched.customer_id,
        case
            when invoices_changed.first_active_date < touched.first_active_date then invoices_changed.first_active_date
            else touched.first_active_date
        end as first_active_date
    from touched
    left join invoices_changed
        on touched.customer_id = invoices_changed.customer_id

    union all

    select
        nobody.customer_id,
        {{ date_literal('0001-01-01') }} as first_active_date
    from nobody
    cross join names_changed
    where names_changed.changes > 0

)

{%- endif %}

select * from final
