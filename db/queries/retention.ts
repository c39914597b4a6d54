import type { Queryable } from '../client.ts';

/**
 * Days for which it is remembered what was decided, and by which rules: as long as it can be asked about. The database
 * itself refuses to forget what was decided any sooner.
 */
export const rememberedDays = 90;

/** Forgets stories that ended longer ago, so many rows of each kind; answers with how many rows that were. */
export async function forgetAttention(db: Queryable, limit: number): Promise<number> {
  const { rows } = await db.query<{ forgotten: number }>({
    name: 'forget-attention',
    text: `select forget_attention($1 * interval '1 day', $2) as forgotten`,
    values: [rememberedDays, limit],
  });
  return rows[0]?.forgotten ?? 0;
}
