with mine as (
  select n.oid, n.nspname,
    n.nspname in ('public', $1)
      or exists (select from pg_catalog.pg_extension e where e.extnamespace = n.oid)
      or exists (select from pg_catalog.pg_class c join pg_catalog.pg_depend d
        on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e'
        where c.relnamespace = n.oid)
      or exists (select from pg_catalog.pg_proc p join pg_catalog.pg_depend d
        on d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e'
        where p.pronamespace = n.oid)
      or exists (select from pg_catalog.pg_type t join pg_catalog.pg_depend d
        on d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.objid = t.oid and d.deptype = 'e'
        where t.typnamespace = n.oid) as stays
  from pg_catalog.pg_namespace n
  where n.nspname::text !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.objid = n.oid and d.deptype = 'e')
), owned as (
  select classid, objid, deptype from pg_catalog.pg_depend where deptype in ('e', 'i', 'a')
)
select 'schema', pg_catalog.quote_ident(nspname), 1 from mine where not stays
union all
select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
    when 'f' then 'foreign table' else 'table' end,
  pg_catalog.format('%I.%I', n.nspname, c.relname), 2
from pg_catalog.pg_class c join mine n on n.oid = c.relnamespace and n.stays
where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and not c.relispartition
  and not (n.nspname = $1 and c.relname = any (pg_catalog.string_to_array($2, ',')))
  and not exists (select from owned o where o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and o.objid = c.oid
    and (o.deptype = 'e' or c.relkind = 'S'))
union all
select case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
  pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)), 3
from pg_catalog.pg_proc p join mine n on n.oid = p.pronamespace and n.stays
where not exists (select from owned o where o.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and o.objid = p.oid
  and o.deptype in ('e', 'i'))
union all
select case t.typtype when 'd' then 'domain' else 'type' end, pg_catalog.format('%I.%I', n.nspname, t.typname), 4
from pg_catalog.pg_type t join mine n on n.oid = t.typnamespace and n.stays
where t.typtype in ('b', 'c', 'd', 'e', 'r')
  and not exists (select from owned o where o.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and o.objid = t.oid
    and o.deptype in ('e', 'i'))
union all
select 'collation', pg_catalog.format('%I.%I', n.nspname, l.collname), 5
from pg_catalog.pg_collation l join mine n on n.oid = l.collnamespace and n.stays
where not exists (select from owned o where o.classid = 'pg_catalog.pg_collation'::pg_catalog.regclass and o.objid = l.oid)
union all
select 'text search configuration', pg_catalog.format('%I.%I', n.nspname, s.cfgname), 5
from pg_catalog.pg_ts_config s join mine n on n.oid = s.cfgnamespace and n.stays
where not exists (select from owned o where o.classid = 'pg_catalog.pg_ts_config'::pg_catalog.regclass and o.objid = s.oid)
union all
select 'publication', pg_catalog.quote_ident(pubname), 6 from pg_catalog.pg_publication
union all
select 'event trigger', pg_catalog.quote_ident(e.evtname), 0 from pg_catalog.pg_event_trigger e
where not exists (select from owned o where o.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass and o.objid = e.oid)
order by 3, 2
