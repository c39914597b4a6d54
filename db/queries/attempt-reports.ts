import type { UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

/** Whose attempt a provider's report is about. */
export async function ownerOfAttempt(db: Queryable, id: string): Promise<UserId | undefined> {
  const { rows } = await db.query<{ userId: UserId }>({
    name: 'owner-of-attempt',
    text: 'select user_id as "userId" from attempts where id = $1',
    values: [id],
  });
  return rows[0]?.userId;
}

// What is not known for good gives way to whatever is told after all, but for what was known before.
const ranks = `array['accepted', 'unknown_final', 'sent', 'delivered', 'engaged']`;

/**
 * The provider says how far an attempt has come. What came further stays; and if nobody knew what became of the call, it is
 * known now, which is answered by true: whoever waits to look at it need not.
 */
export async function markReported(tx: Tx, userId: UserId, id: string, status: string, at: Date): Promise<boolean> {
  const { rows } = await tx.query<{ wasUnknown: boolean }>({
    name: 'mark-attempt-reported',
    text: `
      with before as (select id, state from attempts where user_id = $1 and id = $2 for update)
      update attempts a set
        reported = case when array_position(${ranks}, $3) > coalesce(array_position(${ranks}, reported), 0)
          then $3 else reported end,
        state = case when before.state in ('claimed', 'unknown') then 'accepted' else before.state end,
        finished_at = case when before.state in ('claimed', 'unknown') then $4 else finished_at end,
        error_class = case when before.state = 'unknown' then null else error_class end,
        error_code = case when before.state = 'unknown' then null else error_code end
      from before where a.user_id = $1 and a.id = $2
      returning before.state = 'unknown' as "wasUnknown"`,
    values: [userId, id, status, at],
  });
  return rows[0]?.wasUnknown ?? false;
}

/** The provider says what stands against an attempt. Where it did not come, it counts as never handed over. */
export async function markSetback(
  tx: Tx,
  userId: UserId,
  id: string,
  setback: { fact: string; failed: boolean; errorClass: string; code: string | null; at: Date },
): Promise<void> {
  await tx.query({
    name: 'mark-attempt-setback',
    text: `
      update attempts set
        setbacks = case when $3 = any(setbacks) then setbacks else setbacks || $3 end,
        state = case when $4 then 'failed' else state end,
        finished_at = case when $4 then $5 else finished_at end,
        error_class = case when $4 then $6 else error_class end,
        error_code = case when $4 then $7 else error_code end
      where user_id = $1 and id = $2`,
    values: [userId, id, setback.fact, setback.failed, setback.at, setback.errorClass, setback.code],
  });
}

/** Appends what was heard of an attempt; a repeat of the same key is ignored, and answered by false. */
export async function appendAttemptEvent(
  db: Queryable,
  userId: UserId,
  attemptId: string,
  event: { key: string; source: string; kind: string; code?: string | undefined; at: Date },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'append-attempt-event',
    text: `insert into attempt_events (user_id, attempt_id, key, source, kind, code, at) values ($1, $2, $3, $4, $5, $6, $7)
      on conflict do nothing`,
    values: [userId, attemptId, event.key, event.source, event.kind, event.code ?? null, event.at],
  });
  return rowCount === 1;
}

/** The keys of what was already accepted for an attempt: a retry leaves those targets alone. */
export async function acceptedKeys(db: Queryable, userId: UserId, attemptId: string): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>({
    name: 'accepted-keys',
    text: `select key from attempt_events where user_id = $1 and attempt_id = $2 and kind = 'accepted'`,
    values: [userId, attemptId],
  });
  return new Set(rows.map(({ key }) => key));
}
