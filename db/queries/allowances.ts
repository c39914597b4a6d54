import type { Tx } from '../client.ts';

/** Rows of others whose time is over that each use takes away, so that the table stays as small as what is in use. */
const sweep = 3;

/**
 * Uses one of `most` in a window that begins with its first use. Answers with nothing where there was one left, else with
 * when there are some again. One conditional statement: of a hundred at once no more than `most` get through.
 */
export async function useAllowance(
  tx: Tx,
  key: Buffer,
  { most, windowMs, at }: { most: number; windowMs: number; at: Date },
): Promise<Date | undefined> {
  const { rowCount } = await tx.query({
    name: 'use-allowance',
    text: `
      insert into allowances as a (key, used, until) values ($1, 1, $3::timestamptz + $4 * interval '1 millisecond')
      on conflict (key) do update set used = case when a.until <= $3 then 1 else a.used + 1 end,
        until = case when a.until <= $3 then excluded.until else a.until end
      where a.until <= $3 or a.used < $2`,
    values: [key, most, at, windowMs],
  });
  if (rowCount === 1) return undefined;
  const { rows } = await tx.query<{ until: Date }>({
    name: 'allowance-until',
    text: 'select until from allowances where key = $1',
    values: [key],
  });
  return rows[0]?.until ?? at;
}

/** Takes away a few whose time is over. */
export async function sweepAllowances(tx: Tx, at: Date): Promise<void> {
  await tx.query({
    name: 'sweep-allowances',
    text: `delete from allowances where key in (
      select key from allowances where until <= $1 order by until limit ${sweep} for update skip locked)`,
    values: [at],
  });
}
