#!/bin/sh
# Who sees what in Redshift. `make deploy` runs this in the cluster as the warehouse's administrator; any number of times.
# Standard input: the administrator's password. Environment: PGHOST …, LOADER, ANALYSTS, READERS (names of IAM roles,
# separated by spaces; the database user of such a role is IAMR:name).
#
#                                             loader (dbt)   analyst   reader
#   analytics_external, _staging: pseudonyms  writes         -         -
#   analytics_reference, _intermediate,
#   _audit, _history                          writes         reads     -
#   analytics_marts                           writes         reads     -
#   analytics_reading                         -              -         reads the fact, its dimensions, the wide table
#                                                                      and the cohorts, no column with meta personal_data;
#                                                                      no profiles, whose rows are persons
#
# The readers' views take the place of masking policies: dbt drops and recreates tables, and a policy goes with its
# table. A late-binding view stays, and shows nothing that it does not name.
set -eu
IFS= read -r PGPASSWORD
export PGPASSWORD

database() {
  psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=loader="IAMR:$LOADER" "$@"
}

database <<'SQL'
select 'create role analyst' where not exists (select 1 from svv_roles where role_name = 'analyst') \gexec
select 'create role reader' where not exists (select 1 from svv_roles where role_name = 'reader') \gexec
select 'create user "' || :'loader' || '" password disable'
where not exists (select 1 from pg_user where usename = :'loader') \gexec

-- Nobody makes objects where everybody looks.
revoke create on schema public from public;

-- dbt makes schemas of its own, and finds these: they must be there before anything is granted in them.
select 'grant create on database ' || current_database() || ' to "' || :'loader' || '"' \gexec
create schema if not exists analytics_staging authorization :"loader";
create schema if not exists analytics_reference authorization :"loader";
create schema if not exists analytics_intermediate authorization :"loader";
create schema if not exists analytics_audit authorization :"loader";
create schema if not exists analytics_history authorization :"loader";
create schema if not exists analytics_marts authorization :"loader";

-- What is there, and what dbt will make.
grant usage on schema analytics_reference to role analyst;
grant usage on schema analytics_intermediate to role analyst;
grant usage on schema analytics_audit to role analyst;
grant usage on schema analytics_history to role analyst;
grant usage on schema analytics_marts to role analyst;
grant select on all tables in schema analytics_reference to role analyst;
grant select on all tables in schema analytics_intermediate to role analyst;
grant select on all tables in schema analytics_audit to role analyst;
grant select on all tables in schema analytics_history to role analyst;
grant select on all tables in schema analytics_marts to role analyst;
alter default privileges for user :"loader" in schema analytics_reference grant select on tables to role analyst;
alter default privileges for user :"loader" in schema analytics_intermediate grant select on tables to role analyst;
alter default privileges for user :"loader" in schema analytics_audit grant select on tables to role analyst;
alter default privileges for user :"loader" in schema analytics_history grant select on tables to role analyst;
alter default privileges for user :"loader" in schema analytics_marts grant select on tables to role analyst;

-- Dropped and made again, in one transaction: "create or replace view" refuses other columns than it had (Redshift, CREATE VIEW).
-- To drop one waits for those who read it: after ten minutes the deployment fails, the views are as they were, and it can be repeated.
create schema if not exists analytics_reading;
set statement_timeout to 600000;
begin;
drop view if exists analytics_reading.fact_movie_analytics;
create view analytics_reading.fact_movie_analytics as
select
    id_dim_date, id_dim_devices, id_dim_location, id_dim_os, id_dim_browser,
    amount_spent, review_score, review_count, insert_date
from analytics_marts.fact_movie_analytics
with no schema binding;
drop view if exists analytics_reading.dim_date;
create view analytics_reading.dim_date as
select id_dim_date, log_date, day, month, year, quarter, season, day_of_week, day_name, is_weekend
from analytics_marts.dim_date
with no schema binding;
drop view if exists analytics_reading.dim_devices;
create view analytics_reading.dim_devices as
select id_dim_devices, device
from analytics_marts.dim_devices
with no schema binding;
drop view if exists analytics_reading.dim_location;
create view analytics_reading.dim_location as
select id_dim_location, location, region, division, coast
from analytics_marts.dim_location
with no schema binding;
drop view if exists analytics_reading.dim_os;
create view analytics_reading.dim_os as
select id_dim_os, os, vendor
from analytics_marts.dim_os
with no schema binding;
drop view if exists analytics_reading.dim_browser;
create view analytics_reading.dim_browser as
select id_dim_browser, browser, is_derived
from analytics_marts.dim_browser
with no schema binding;
drop view if exists analytics_reading.movie_analytics_obt;
create view analytics_reading.movie_analytics_obt as
select
    id_dim_date, id_dim_devices, id_dim_location, id_dim_os, id_dim_browser,
    log_date, day, month, year, quarter, season, day_of_week, day_name, is_weekend, device, location, region, division, coast,
    os, vendor, browser, is_browser_derived,
    amount_spent, review_score, review_count, insert_date
from analytics_marts.movie_analytics_obt
with no schema binding;
drop view if exists analytics_reading.customer_cohort_retention;
create view analytics_reading.customer_cohort_retention as
select cohort_month, months_since_first, active_month, is_complete, is_left_censored, customer_count, active_customer_count, retention, amount_spent,
    order_count
from analytics_marts.customer_cohort_retention
with no schema binding;
grant usage on schema analytics_reading to role reader;
-- Who reads a late-binding view needs usage of the schemas below it as well; no right to any of their tables comes with that.
grant usage on schema analytics_marts to role reader;
grant select on all tables in schema analytics_reading to role reader;
commit;
SQL

# Anyone who is no longer named is no longer a member.
database <<'SQL'
select 'revoke role ' || role_name || ' from "' || user_name || '"'
from svv_user_grants where role_name in ('analyst', 'reader') \gexec
SQL

# member ROLE NAME…
member() {
  role=$1
  shift
  for name in "$@"; do
    database --set=member="IAMR:$name" --set=role="$role" <<'SQL'
select 'create user "' || :'member' || '" password disable'
where not exists (select 1 from pg_user where usename = :'member') \gexec
grant role :"role" to :"member";
SQL
  done
}
# shellcheck disable=SC2086 # names have no spaces
member analyst $ANALYSTS
# shellcheck disable=SC2086
member reader $READERS
