#!/bin/sh
# The shop's table, and what Airflow may do with it. `make deploy` runs this in the cluster as the database's administrator;
# any number of times. Standard input: the administrator's password. Environment: PGHOST …, AIRFLOW_USER.
set -eu
IFS= read -r PGPASSWORD
export PGPASSWORD

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=airflow="$AIRFLOW_USER" <<'SQL'
set client_min_messages to warning;

-- The company's own table, as it is; no key, every column nullable.
create table if not exists user_purchase (
    invoice_number varchar(10),
    stock_code varchar(20),
    detail varchar(1000),
    quantity int,
    invoice_date timestamp,
    unit_price numeric(8, 3),
    customer_id int,
    country varchar(20)
);

-- On AWS the user is made here and logs in with a token of IAM; Cloud SQL has made its own already.
select format('create role %I login', :'airflow')
where not exists (select from pg_roles where rolname = :'airflow') \gexec
select format('grant rds_iam to %I', :'airflow')
where exists (select from pg_roles where rolname = 'rds_iam') \gexec

-- The export reads; user_purchase_load replaces the content. Nobody but the administrator changes the table itself.
grant usage on schema public to :"airflow";
grant select, insert, delete on user_purchase to :"airflow";
SQL
