#!/bin/sh
# The shop's table, and what Airflow may do with it. `make deploy` runs this in the cluster as the database's administrator;
# any number of times. Standard input: the administrator's password, then the table's definition. Environment: PGHOST …,
# AIRFLOW_USER.
set -eu
IFS= read -r PGPASSWORD
export PGPASSWORD

{
    echo 'set client_min_messages to warning;'
    # the rest of the standard input: spark_prep/shop/user_purchase.sql
    cat
    cat <<'SQL'
-- On AWS the user is made here and logs in with a token of IAM; Cloud SQL has made its own already.
select format('create role %I login', :'airflow')
where not exists (select from pg_roles where rolname = :'airflow') \gexec
select format('grant rds_iam to %I', :'airflow')
where exists (select from pg_roles where rolname = 'rds_iam') \gexec

-- The export reads; user_purchase_load replaces the content. Nobody but the administrator changes the table itself.
grant usage on schema public to :"airflow";
grant select, insert, delete on user_purchase to :"airflow";
SQL
} | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=airflow="$AIRFLOW_USER"
