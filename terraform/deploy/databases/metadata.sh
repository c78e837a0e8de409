#!/bin/sh
# Airflow's own database and its user. `make deploy` runs this in the cluster as the database's administrator; any number of
# times. Standard input: the administrator's password, then Airflow's. Environment: PGHOST …
set -eu
IFS= read -r PGPASSWORD
export PGPASSWORD

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 <<'SQL'
select 'create role airflow login' where not exists (select from pg_roles where rolname = 'airflow') \gexec
-- Only a member of a role may create a database for it.
grant airflow to current_user;
select 'create database airflow owner airflow' where not exists (select from pg_database where datname = 'airflow') \gexec
SQL

# \password reads the new password twice and sends only its hash: "alter role" would leave it in the server's log.
IFS= read -r password
printf '%s\n%s\n' "$password" "$password" | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --command='\password airflow'
