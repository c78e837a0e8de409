-- What Redshift has and PostgreSQL lacks, or has with another meaning: functions and catalogue views that dbt-redshift and
-- the project's models use. The schema stands before pg_catalog in the search path, so that its functions win.
create schema redshift;
grant usage on schema redshift to public;

create function redshift.refuse(message text, sqlstate_ text) returns void language plpgsql as $$
begin
    raise exception using message = message, errcode = sqlstate_;
end $$;

create function redshift.getdate() returns timestamp language sql stable as $$ select localtimestamp(0) $$;
create function redshift.len(text) returns int language sql immutable strict as $$ select length($1) $$;
create function redshift.nvl(anyelement, anyelement) returns anyelement language sql immutable as
$$ select coalesce($1, $2) $$;

create function redshift.sha2(value text, bits int) returns varchar language sql immutable strict as $$
    select encode(
        case bits
            when 224 then sha224(convert_to(value, 'UTF8'))
            when 384 then sha384(convert_to(value, 'UTF8'))
            when 512 then sha512(convert_to(value, 'UTF8'))
            else sha256(convert_to(value, 'UTF8'))
        end, 'hex')
$$;

create function redshift.strtol(digits text, base int) returns bigint language plpgsql immutable strict as $$
declare result bigint;
begin
    if base <> 16 then
        raise exception 'the stand-in has strtol for base 16 only, not for %', base;
    end if;
    result := ('x' || lpad(digits, 16, '0'))::bit(64)::bigint;
    if length(digits) > 16 or result < 0 then
        raise exception 'The input % is not valid to be converted to base 16', digits using errcode = '22003';
    end if;
    return result;
end $$;

-- The text when it is a value of the type, else NULL; rewrite.py casts it.
create function redshift.try_cast(value text, type_name text) returns text language plpgsql immutable strict as $$
declare is_valid boolean;
begin
    if trim(value) = '' then
        raise exception 'try_cast: the expression cannot be blank or empty' using errcode = '22018';
    end if;
    -- by execute, because pg_input_is_valid keeps the type of its first call in a query
    execute 'select pg_input_is_valid($1, $2)' into is_valid using value, type_name;
    return case when is_valid then value end;
end $$;

create function redshift.dateadd(part text, n bigint, moment timestamp) returns timestamp language sql immutable strict as
$$ select moment + n * ('1 ' || part)::interval $$;

-- The boundaries between two moments, not the time that passed. A week begins on Sunday.
create function redshift.datediff(part text, a timestamp, b timestamp) returns bigint language sql immutable strict as $$
    select case lower(part)
        when 'year' then extract(year from b) - extract(year from a)
        when 'quarter' then 4 * (extract(year from b) - extract(year from a)) + extract(quarter from b) - extract(quarter from a)
        when 'month' then 12 * (extract(year from b) - extract(year from a)) + extract(month from b) - extract(month from a)
        when 'week' then (date_trunc('week', b + interval '1 day')::date - date_trunc('week', a + interval '1 day')::date) / 7
        when 'day' then b::date - a::date
        when 'hour' then extract(epoch from date_trunc('hour', b) - date_trunc('hour', a)) / 3600
        when 'minute' then extract(epoch from date_trunc('minute', b) - date_trunc('minute', a)) / 60
        when 'second' then extract(epoch from date_trunc('second', b) - date_trunc('second', a))
    end::bigint
$$;

-- extract(part from moment), an integer on Redshift; a numeric would divide with a fraction.
create function redshift.extract_part(part text, moment timestamp) returns int language sql immutable strict as
$$ select trunc(pg_catalog.date_part(part, moment))::int $$;

create function redshift.date_trunc(part text, day date) returns timestamp language sql immutable strict as
$$ select pg_catalog.date_trunc(part, day::timestamp) $$;

-- The average of integers is an integer, cut off.
create function redshift.avg_step(state numeric[], value anyelement) returns numeric[] language sql immutable as
$$ select case when value is null then state else array[state[1] + value, state[2] + 1] end $$;
create function redshift.avg_result(state numeric[]) returns bigint language sql immutable as
$$ select case when state[2] > 0 then trunc(state[1] / state[2])::bigint end $$;
create aggregate redshift.avg(bigint) (
    sfunc = redshift.avg_step, stype = numeric[], finalfunc = redshift.avg_result, initcond = '{0,0}'
);
create aggregate redshift.avg(int) (
    sfunc = redshift.avg_step, stype = numeric[], finalfunc = redshift.avg_result, initcond = '{0,0}'
);

-- Statistics that `dbt docs generate` shows.
create view redshift.svv_table_info as
select
    current_database()::text as "database", pg_namespace.nspname::text as "schema", pg_class.oid as table_id,
    pg_class.relname::text as "table", 'Y'::text as encoded, 'AUTO(ALL)'::text as diststyle, null::text as sortkey1,
    0 as max_varchar, null::text as sortkey1_enc, 0 as sortkey_num, pg_relation_size(pg_class.oid) / 1000000 + 1 as size,
    0::numeric as pct_used, 0 as empty, null::numeric as unsorted, 0::numeric as stats_off,
    greatest(pg_class.reltuples, 0)::numeric(38, 0) as tbl_rows, null::numeric as skew_sortkey1, null::numeric as skew_rows
from pg_class
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
where pg_class.relkind = 'r' and pg_namespace.nspname not in ('pg_catalog', 'information_schema', 'spectrum');
grant select on redshift.svv_table_info to public;

-- Which statement wrote a table and when: `dbt source freshness` asks it first of all. Nobody writes an external table.
create view redshift.sys_query_detail as
select null::oid as table_id, null::text as step_name, null::timestamp as start_time
where false;
grant select on redshift.sys_query_detail to public;


-- Late-binding views: the text of the query is looked up each time that the view is read, so the tables may be dropped and
-- made again. The query is kept as text in a function, on which the view is; only its columns are found out beforehand.
-- It reads with the rights of the view's owner. Whoever asks needs USAGE on the schemas that it names, but no SELECT there:
-- https://github.com/aws-samples/amazon-redshift-dynamic-data-masking/issues/2
create schema late_binding;
grant all on schema late_binding to public;
create sequence late_binding.number;
grant usage on sequence late_binding.number to public;

create procedure redshift.create_late_binding_view(view_name text, is_replaced boolean, query text, schemas text[])
language plpgsql as $$
declare
    function_name text := 'late_binding.query_' || nextval('late_binding.number');
    columns_ text; returned text;
begin
    execute 'create temporary table late_binding_columns on commit drop as ' || query || ' with no data';
    select
        string_agg(format('cast(%1$I as %2$s) as %1$I', attname, format_type(atttypid, atttypmod)), ', ' order by attnum),
        string_agg(format('%I %s', attname, format_type(atttypid, null)), ', ' order by attnum)
    into columns_, returned
    from pg_attribute
    where attrelid = 'pg_temp.late_binding_columns'::regclass and attnum > 0;
    drop table pg_temp.late_binding_columns;
    execute format(
        'create function %s() returns table (%s) language plpgsql stable security definer as %L',
        function_name, returned,
        format('begin perform redshift.require_usage(%L); return query execute %L; end', schemas, query)
    );
    if is_replaced then
        execute 'drop view if exists ' || view_name;
    end if;
    execute format('create view %s as select %s from %s()', view_name, columns_, function_name);
end $$;

create function redshift.require_usage(schemas text[]) returns void language plpgsql stable as $$
declare
    schema_ text;
begin
    foreach schema_ in array schemas loop
        if to_regnamespace(quote_ident(schema_)) is not null and not has_schema_privilege(session_user, schema_, 'usage') then
            raise exception 'permission denied for schema %', schema_ using errcode = '42501';
        end if;
    end loop;
end $$;

create view redshift.late_binding_view as
select distinct pg_class.oid, pg_namespace.nspname as schema_name, pg_class.relname as view_name
from pg_depend
inner join pg_proc on pg_depend.refobjid = pg_proc.oid and pg_proc.pronamespace = 'late_binding'::regnamespace
inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid
inner join pg_class on pg_rewrite.ev_class = pg_class.oid
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
where pg_depend.refclassid = 'pg_proc'::regclass and pg_depend.classid = 'pg_rewrite'::regclass;
grant select on redshift.late_binding_view to public;

create function redshift.pg_get_late_binding_view_cols() returns setof record language sql stable as $$
    select
        late_binding_view.schema_name, late_binding_view.view_name, pg_attribute.attname,
        format_type(pg_attribute.atttypid, pg_attribute.atttypmod)::varchar, pg_attribute.attnum::int
    from redshift.late_binding_view
    inner join pg_attribute on late_binding_view.oid = pg_attribute.attrelid and pg_attribute.attnum > 0
$$;
