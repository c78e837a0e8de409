-- depends_on: {{ ref('int_customer_day_profiled') }}
select * from {{ ref('int_name') }}
where {{ 'true' if as_of_date() is none else 'false' }}
