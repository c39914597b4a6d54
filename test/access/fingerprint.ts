import type pg from 'pg';

/** Of each table, how many rows it has and what they say: two are the same where nothing was changed. */
export type Fingerprint = ReadonlyMap<string, string>;

/** What moves by itself while people are connected. */
const restless: Readonly<Record<string, string>> = {
  users: " - 'last_seen_at'",
  access_tokens: " - 'last_used_at'",
};

/** Makes a look at every table that there is. */
export async function fingerprints(db: pg.Pool): Promise<() => Promise<Fingerprint>> {
  const { rows } = await db.query<{ name: string }>(
    `select table_name as name from information_schema.tables
     where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not like 'knex%' order by 1`,
  );
  const looks = rows.map(({ name }) => {
    const text = restless[name] ? `(to_jsonb(x)${restless[name]})::text` : 'x::text';
    return `select '${name}' as name, count(*) || ' ' || coalesce(sum(hashtextextended(${text}, 0)::numeric), 0) as looks from ${name} x`;
  });
  const query = looks.join(' union all ');
  return async () => {
    const found = await db.query<{ name: string; looks: string }>({ name: 'fingerprint', text: query });
    return new Map(found.rows.map(({ name, looks: seen }) => [name, seen]));
  };
}

export const changedTables = (before: Fingerprint, after: Fingerprint): string[] =>
  [...after].filter(([name, looks]) => before.get(name) !== looks).map(([name]) => name);
