-- The catalogue of external schemas, tables and partitions, what Glue is for Spectrum, and the statements that change it
-- (external_ddl.py turns DDL into calls of these procedures). spectrum.py fills the tables spectrum.rows_<id>.
set allow_system_table_mods = on;
create schema spectrum;

create table spectrum.external_schema (name text primary key, database_name text not null);
create table spectrum.external_table (
    id int generated always as identity primary key,
    schema_name text not null references spectrum.external_schema,
    name text not null,
    location text not null,
    file_columns int not null,
    partition_columns text[] not null,
    properties jsonb not null,
    unique (schema_name, name)
);
-- A table without partition columns has one partition without values: the table's own location.
create table spectrum.external_partition (
    id int generated always as identity primary key,
    table_id int not null references spectrum.external_table on delete cascade,
    partition_values text[] not null,
    location text not null,
    -- Why the files cannot be read; anyone who scans the table sees it.
    scan_error text,
    unique (table_id, partition_values)
);


create procedure spectrum.create_external_schema(schema_ text, database_ text, if_not_exists boolean)
language plpgsql security definer as $$
begin
    if if_not_exists and exists (select from spectrum.external_schema where name = schema_) then
        return;
    end if;
    execute format('create schema %I', schema_);
    execute format('grant usage on schema %I to public', schema_);
    insert into spectrum.external_schema values (schema_, database_);
end $$;


create procedure spectrum.create_external_table(
    schema_ text, table_ text, columns_ text, partition_columns_ text, location_ text, properties_ jsonb
) language plpgsql security definer as $$
declare
    new_table spectrum.external_table;
    unsupported text;
begin
    if not exists (select from spectrum.external_schema where name = schema_) then
        raise exception 'External table can only be created in external schema: "%" is none', schema_;
    elsif location_ not like 's3://_%' then
        raise exception 'The location of an external table has to be in S3 (s3://bucket/folder), not %', location_;
    elsif exists (select from spectrum.external_table where schema_name = schema_ and name = table_) then
        raise exception 'Relation "%" already exists', table_ using errcode = '42P07';
    end if;
    insert into spectrum.external_table (schema_name, name, location, file_columns, partition_columns, properties)
    values (schema_, table_, location_, 0, '{}', properties_) returning * into new_table;

    -- The partition columns are made for their types and names only; the view has their values from the catalogue.
    execute format('create table spectrum.declared_%s (%s)', new_table.id, concat_ws(', ', columns_, partition_columns_));
    execute format('create table spectrum.rows_%s (%s, "$partition" int not null)', new_table.id, columns_);
    select count(*) - 1 into new_table.file_columns
    from pg_attribute where attrelid = ('spectrum.rows_' || new_table.id)::regclass and attnum > 0;
    select array_agg(attname::text order by attnum) into new_table.partition_columns
    from pg_attribute
    where attrelid = ('spectrum.declared_' || new_table.id)::regclass and attnum > new_table.file_columns;
    update spectrum.external_table
    set file_columns = new_table.file_columns, partition_columns = coalesce(new_table.partition_columns, '{}')
    where id = new_table.id;
    if new_table.partition_columns is null then
        insert into spectrum.external_partition (table_id, partition_values, location) values (new_table.id, '{}', location_);
    end if;

    select format_type(atttypid, atttypmod) into unsupported
    from pg_attribute
    where
        attrelid = ('spectrum.declared_' || new_table.id)::regclass and attnum > 0
        and spectrum.external_type(atttypid, atttypmod) is null;
    if found then
        raise exception 'Unsupported data type "%" for external table creation', unsupported;
    end if;

    execute (
        select format(
            'create view %I.%I as select %s from spectrum.rows_%s as rows_ inner join spectrum.external_partition '
            || 'on rows_."$partition" = external_partition.id where spectrum.is_readable(%s)',
            schema_, table_,
            string_agg(
                case
                    when attnum <= new_table.file_columns then format('rows_.%I', attname)
                    else format('cast(partition_values[%s] as %s) as %I', attnum - new_table.file_columns,
                        format_type(atttypid, atttypmod), attname)
                end, ', ' order by attnum
            ),
            new_table.id, new_table.id
        )
        from pg_attribute
        where attrelid = ('spectrum.declared_' || new_table.id)::regclass and attnum > 0
    );
    execute format('grant select on %I.%I to public', schema_, table_);
end $$;


create procedure spectrum.drop_external_table(schema_ text, table_ text, if_exists boolean)
language plpgsql security definer as $$
declare
    table_id_ int := (select id from spectrum.external_table where schema_name = schema_ and name = table_);
begin
    if table_id_ is null and if_exists then
        return;
    end if;
    table_id_ := spectrum.table_id(schema_, table_);
    execute format('drop view %I.%I', schema_, table_);
    execute format('drop table spectrum.rows_%s, spectrum.declared_%s', table_id_, table_id_);
    delete from spectrum.external_table where id = table_id_;
end $$;


-- partitions: [{"values": {"insert_date": "2021-01-31"}, "location": "s3://…"}, …]
create procedure spectrum.add_partitions(schema_ text, table_ text, partitions jsonb, if_not_exists boolean)
language plpgsql security definer as $$
declare
    table_id_ int := spectrum.table_id(schema_, table_);
    partition_ jsonb;
    values_ text[];
begin
    if jsonb_array_length(partitions) > 100 then
        raise exception 'ALTER TABLE ADD PARTITION takes at most 100 partitions in a statement, not %',
            jsonb_array_length(partitions);
    end if;
    for partition_ in select jsonb_array_elements(partitions) loop
        values_ := spectrum.partition_values(table_id_, partition_ -> 'values');
        if exists (select from spectrum.external_partition where table_id = table_id_ and partition_values = values_) then
            if not if_not_exists then
                raise exception 'Partition already exists: %', partition_ -> 'values' using errcode = '42710';
            end if;
        else
            insert into spectrum.external_partition (table_id, partition_values, location)
            values (table_id_, values_, partition_ ->> 'location');
        end if;
    end loop;
end $$;


create procedure spectrum.drop_partition(schema_ text, table_ text, partition_ jsonb)
language plpgsql security definer as $$
declare
    table_id_ int := spectrum.table_id(schema_, table_);
    dropped int;
begin
    delete from spectrum.external_partition
    where table_id = table_id_ and partition_values = spectrum.partition_values(table_id_, partition_)
    returning id into dropped;
    if dropped is null then
        raise exception 'Partition does not exist: %', partition_ using errcode = '42704';
    end if;
    execute format('delete from spectrum.rows_%s where "$partition" = %s', table_id_, dropped);
end $$;


create function spectrum.table_id(schema_ text, table_ text) returns int language plpgsql stable as $$
declare
    found_id int := (select id from spectrum.external_table where schema_name = schema_ and name = table_);
begin
    if found_id is null then
        raise exception 'External table "%.%" does not exist', schema_, table_ using errcode = '42P01';
    end if;
    return found_id;
end $$;


-- {"insert_date": "2021-01-31"} as the values of the table's partition columns, in their order and checked by their types.
create function spectrum.partition_values(table_id_ int, named jsonb) returns text[] language plpgsql stable as $$
declare
    columns_ text[] := (select partition_columns from spectrum.external_table where id = table_id_);
    values_ text[]; column_ text; value_ text;
begin
    if columns_ = '{}' or not named ?& columns_ or (select count(*) from jsonb_object_keys(named)) <> cardinality(columns_) then
        raise exception 'The partition columns of the table are (%), not (%)', array_to_string(columns_, ', '),
            (select string_agg(key, ', ') from jsonb_object_keys(named) as key);
    end if;
    foreach column_ in array columns_ loop
        execute format('select cast(cast(%L as %s) as text)', named ->> column_, (
            select format_type(atttypid, atttypmod) from pg_attribute
            where attrelid = ('spectrum.declared_' || table_id_)::regclass and attname = column_
        )) into value_;
        values_ := values_ || value_;
    end loop;
    return values_;
end $$;


-- The type as Glue writes it; null for types that no external table can have.
create function spectrum.external_type(type oid, modifier int) returns text language sql stable as $$
    select case
        when type = 'numeric'::regtype and modifier = -1 then 'decimal(18,0)'
        when type = 'numeric'::regtype then replace(format_type(type, modifier), 'numeric', 'decimal')
        when type = 'varchar'::regtype then replace(format_type(type, modifier), 'character varying', 'varchar')
        when type = 'bpchar'::regtype then replace(format_type(type, modifier), 'character', 'char')
        when type = 'int'::regtype then 'int'
        when type = 'double precision'::regtype then 'double'
        when type = 'real'::regtype then 'float'
        when type = 'timestamp'::regtype then 'timestamp'
        when type in ('smallint'::regtype, 'bigint'::regtype, 'boolean'::regtype, 'date'::regtype) then format_type(type, null)
    end
$$;


-- Stands in the view of each external table, where it is asked once for each scan and not when nothing is scanned.
create function spectrum.is_readable(table_id_ int) returns boolean language plpgsql stable security definer as $$
declare
    error text := (
        select scan_error from spectrum.external_partition
        where table_id = table_id_ and scan_error is not null order by partition_values limit 1
    );
begin
    if error is not null then
        raise exception '%', error using errcode = 'XX000';
    end if;
    return true;
end $$;


create view pg_catalog.svv_external_schemas as
select
    pg_namespace.oid as esoid, 1 as eskind, external_schema.name as schemaname, pg_namespace.nspowner as esowner,
    external_schema.database_name as databasename, '{}'::text as esoptions
from spectrum.external_schema
inner join pg_namespace on external_schema.name = pg_namespace.nspname;

create view pg_catalog.svv_external_tables as
select
    current_database()::text as redshift_database_name, schema_name as schemaname, name as tablename, location,
    'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'::text as input_format, properties::text as parameters
from spectrum.external_table;

create view pg_catalog.svv_external_columns as
select
    current_database()::text as redshift_database_name, schema_name as schemaname, name as tablename,
    attname::text as columnname, spectrum.external_type(atttypid, atttypmod) as external_type, attnum::int as columnnum,
    greatest(attnum - file_columns, 0) as part_key, 'true'::text as is_nullable
from spectrum.external_table
inner join pg_attribute on attrelid = ('spectrum.declared_' || id)::regclass and attnum > 0;

create view pg_catalog.svv_external_partitions as
select
    current_database()::text as redshift_database_name, schema_name as schemaname, name as tablename,
    to_json(partition_values)::text as values, external_partition.location,
    'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'::text as input_format
from spectrum.external_table
inner join spectrum.external_partition on external_table.id = external_partition.table_id
where partition_values <> '{}';

grant usage on schema spectrum to public;
grant select on
    pg_catalog.svv_external_schemas, pg_catalog.svv_external_tables,
    pg_catalog.svv_external_columns, pg_catalog.svv_external_partitions to public;


-- External tables stand in none of the catalogues of local tables, late-binding views not in information_schema.columns.
do $$
declare
    hidden record;
begin
    for hidden in values
        ('information_schema.tables', 'table_schema', ''),
        ('information_schema.views', 'table_schema', ''),
        ('information_schema.columns', 'table_schema',
            'and (table_schema, table_name) not in (select schema_name, view_name from redshift.late_binding_view)'),
        ('pg_catalog.pg_tables', 'schemaname', ''),
        ('pg_catalog.pg_views', 'schemaname', '')
    loop
        execute format(
            'create or replace view %s as select * from (%s) as every '
            'where %s not in (select name from spectrum.external_schema) %s',
            hidden.column1, rtrim(pg_get_viewdef(hidden.column1::regclass), ';'), hidden.column2, hidden.column3
        );
    end loop;
end $$;


create function spectrum.refuse_bound_views() returns event_trigger language plpgsql security definer as $$
begin
    if exists (
        select from pg_event_trigger_ddl_commands() as command
        inner join pg_rewrite on command.objid = pg_rewrite.ev_class
        inner join pg_depend on pg_rewrite.oid = pg_depend.objid and pg_depend.refclassid = 'pg_class'::regclass
        inner join pg_class on pg_depend.refobjid = pg_class.oid and pg_class.oid <> command.objid
        inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
        inner join spectrum.external_schema on pg_namespace.nspname = external_schema.name
    ) then
        raise exception 'External tables are not supported in views'
            using hint = 'Create the view WITH NO SCHEMA BINDING (dbt: bind: false).';
    end if;
end $$;
create event trigger refuse_bound_views on ddl_command_end when tag in ('CREATE VIEW')
execute function spectrum.refuse_bound_views();
