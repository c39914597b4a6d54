import type { UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

/** What was left in a bucket, and when. */
export interface Level {
  bucket: string;
  tokens: number;
  at: Date;
}

/** The buckets of a person from which something was taken. One that is not among them is full. */
export async function levelsOf(db: Queryable, userId: UserId): Promise<Level[]> {
  const { rows } = await db.query<Level>({
    name: 'budget-levels-of',
    text: 'select bucket, tokens, at from notification_budgets where user_id = $1',
    values: [userId],
  });
  return rows;
}

/** Writes down what is left. Whoever calls holds the person's lock, so that nobody takes the same one. */
export async function putLevels(tx: Tx, userId: UserId, levels: readonly Level[]): Promise<void> {
  if (levels.length === 0) return;
  await tx.query({
    name: 'put-budget-levels',
    text: `
      insert into notification_budgets (user_id, bucket, tokens, at)
      select $1, * from unnest($2::text[], $3::float8[], $4::timestamptz[])
      on conflict (user_id, bucket) do update set tokens = excluded.tokens, at = excluded.at`,
    values: [
      userId,
      levels.map(({ bucket }) => bucket),
      levels.map(({ tokens }) => tokens),
      levels.map(({ at }) => at),
    ],
  });
}

/** Texts of the organisation on the day (UTC) of this moment. */
export async function textsOn(db: Queryable, at: Date): Promise<number> {
  const { rows } = await db.query<{ texts: number }>({
    name: 'texts-on',
    text: `select texts from text_days where day = ($1::timestamptz at time zone 'UTC')::date`,
    values: [at],
  });
  return rows[0]?.texts ?? 0;
}

/**
 * Counts one more text of the day, unless it has seen as many as it may; answers with how many those are now. Two that
 * take the last one wait for each other: the row is locked until the claim commits.
 */
export async function takeText(tx: Tx, at: Date, perDay: number): Promise<number | undefined> {
  const { rows } = await tx.query<{ texts: number }>({
    name: 'take-text',
    text: `
      insert into text_days as t (day, texts) select ($1::timestamptz at time zone 'UTC')::date, 1 where $2::int > 0
      on conflict (day) do update set texts = t.texts + 1 where t.texts < $2::int
      returning texts`,
    values: [at, perDay],
  });
  return rows[0]?.texts;
}
