import type { Queryable } from './client.ts';

/**
 * The schema as it stands, as text that is the same on every version of PostgreSQL: tables with their columns,
 * constraints, indexes, triggers, policies and the application's rights, the views, and the functions. A review sees the true change of a migration in
 * `schema.sql`.
 */
export async function dumpSchema(db: Queryable): Promise<string> {
  const tables = await column(db, tablesSql);
  const parts = await Promise.all(
    tables.map(async (table) => {
      const [columns, constraints, indexes, rights, columnRights, policies, triggers] = await Promise.all([
        column(db, columnsSql, table),
        column(db, constraintsSql, table),
        column(db, indexesSql, table),
        column(db, rightsSql, table),
        column(db, columnRightsSql, table),
        column(db, policiesSql, table),
        column(db, triggersSql, table),
      ]);
      const body = [...columns, ...constraints].map((line) => `  ${line}`).join(',\n');
      return [
        `create table ${table} (\n${body}\n);`,
        ...indexes,
        ...rights,
        ...columnRights,
        ...policies,
        ...triggers,
      ].join('\n');
    }),
  );
  const [views, functions] = [await column(db, viewsSql), await column(db, functionsSql)];
  return `-- Generated from the migrations: see CONTRIBUTING. Do not edit.\n\n${[...parts, ...views, ...functions].join('\n\n')}\n`;
}

async function column(db: Queryable, text: string, table?: string): Promise<string[]> {
  const { rows } = await db.query<{ line: string }>({ text, values: table === undefined ? [] : [table] });
  return rows.map(({ line }) => line);
}

const tablesSql = `
  select c.relname as line from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not like 'knex_%' order by 1`;
const columnsSql = `
  select concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
    case when a.attidentity = 'a' then 'generated always as identity' end,
    case when a.attnotnull then 'not null' end,
    'default ' || pg_get_expr(d.adbin, d.adrelid)) as line
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = ('public.' || $1)::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`;
const constraintsSql = `
  select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) as line from pg_constraint
  where conrelid = ('public.' || $1)::regclass and contype in ('p', 'u', 'c', 'f', 'x') order by contype = 'c', conname`;
const indexesSql = `
  select pg_get_indexdef(i.indexrelid) || ';' as line from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indrelid = ('public.' || $1)::regclass
    and not exists (select from pg_constraint k where k.conindid = i.indexrelid) order by c.relname`;
const rightsSql = `
  select 'grant ' || string_agg(lower(privilege_type), ', ' order by privilege_type) || ' on ' || $1::text || ' to homing_app;' as line
  from information_schema.role_table_grants where grantee = 'homing_app' and table_schema = 'public' and table_name = $1
  having count(*) > 0`;
/** Of a table that a person's statements may not read or change whole: the columns that they may. */
const columnRightsSql = `
  select 'grant ' || lower(privilege_type) || ' (' || string_agg(column_name, ', ' order by column_name) || ') on ' || $1::text
    || ' to homing_person;' as line
  from information_schema.role_column_grants
  where grantee = 'homing_person' and privilege_type in ('SELECT', 'UPDATE') and table_schema = 'public' and table_name = $1
    and not has_table_privilege('homing_person', ('public.' || $1)::regclass, privilege_type)
  group by privilege_type order by privilege_type`;
/** By what holds back a row; the columns are those of its table. */
const viewsSql = `
  select 'create view ' || viewname || ' ' ||
    regexp_replace(regexp_replace(regexp_replace(definition, '^.* FROM ', 'from '), '\\m[a-z_]+\\.', '', 'g'), '\\s+', ' ', 'g') as line
  from pg_views where schemaname = 'public' order by viewname`;
/** Who sees which of its rows; of a table without, whoever may read it sees all. */
const policiesSql = `
  select 'create policy ' || policyname || ' on ' || tablename || case when cmd <> 'ALL' then ' for ' || lower(cmd) else '' end
    || ' to ' || array_to_string(roles, ', ')
    || coalesce(' using ' || case when qual = 'true' then '(true)' else regexp_replace(qual, '\\s+', ' ', 'g') end, '')
    || coalesce(' with check (' || with_check || ')', '') || ';' as line
  from pg_policies where schemaname = 'public' and tablename = $1 order by policyname`;
const triggersSql = `
  select pg_get_triggerdef(oid, true) || ';' as line from pg_trigger
  where tgrelid = ('public.' || $1)::regclass and not tgisinternal order by tgname`;
/** With whoever may call it beside its owner, where that is not everybody. */
const functionsSql = `
  select pg_get_functiondef(p.oid) || ';' || coalesce((
    select string_agg(e'\\ngrant execute on function ' || p.proname || ' to ' || a.grantee::regrole || ';', '' order by 1)
    from aclexplode(p.proacl) a where a.grantee <> p.proowner and a.grantee <> 0), '') as line
  from pg_proc p where p.pronamespace = 'public'::regnamespace order by p.proname`;
