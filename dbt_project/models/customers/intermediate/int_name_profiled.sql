-- depends_on: {{ ref('int_customer_day_profiled') }}
select * from {{ ref('int_name') }}
-- Profiles of a past day are of no use to the next run, which makes all customers when it finds no name here.
where {{ 'true' if as_of_date() is none else 'false' }}
