-- Texts as Redshift has them, in the place of PostgreSQL's own operators and cast, so that every comparison, join, GROUP BY and column
-- follows:
-- * blanks at the end do not count when texts are compared: https://docs.aws.amazon.com/redshift/latest/dg/r_Examples_with_character_types.html
-- * varchar(n) has n bytes, not characters; a cast cuts, an insert fails: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
set allow_system_table_mods = on;

-- PostgreSQL has the comparison for char(n), and keeps char(n) and varchar in the same form.
update pg_operator set oprcode = same_for_char.function::regproc
from (values ('=', 'bpchareq'), ('<>', 'bpcharne'), ('<', 'bpcharlt'), ('<=', 'bpcharle'), ('>', 'bpchargt'), ('>=', 'bpcharge'))
    as same_for_char (name, function)
where oprname = name and oprleft = 'text'::regtype and oprright = 'text'::regtype;

-- For sorts and merges, for hashes.
update pg_amproc set amproc = same_for_char.function::regproc
from (values
    ('btree', 1, 'bpcharcmp'), ('btree', 2, 'bpchar_sortsupport'), ('hash', 1, 'hashbpchar'), ('hash', 2, 'hashbpcharextended')
) as same_for_char (method, number, function)
inner join pg_am on pg_am.amname = method
inner join pg_opfamily on pg_opfamily.opfmethod = pg_am.oid and pg_opfamily.opfname = 'text_ops'
where
    amprocfamily = pg_opfamily.oid and amproclefttype = 'text'::regtype and amprocrighttype = 'text'::regtype
    and amprocnum = number;

create function redshift.cut_to_bytes(value varchar, bytes int, is_cast boolean) returns varchar language plpgsql immutable as $$
declare
    cut varchar := left(value, bytes);
begin
    while octet_length(cut) > bytes loop
        cut := left(cut, -1);
    end loop;
    -- Blanks at the end may go.
    if not is_cast and rtrim(value) <> rtrim(cut) then
        raise exception 'value too long for type character varying(%)', bytes using errcode = '22001';
    end if;
    return cut;
end $$;
-- The modifier of a type is its length and 4.
create function redshift.varchar_of_bytes(value varchar, modifier int, is_cast boolean) returns varchar language sql immutable as $$
    select case when octet_length(value) > modifier - 4 then redshift.cut_to_bytes(value, modifier - 4, is_cast) else value end
$$;
update pg_cast set castfunc = 'redshift.varchar_of_bytes'::regproc
where castsource = 'varchar'::regtype and casttarget = 'varchar'::regtype;
