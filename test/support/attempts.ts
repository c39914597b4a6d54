import { randomUUIDv7 } from 'node:crypto';
import type pg from 'pg';
import type { Person } from '../factories/person.ts';

interface Written {
  covers: { conversationId: string; fromSeq: number; toSeq: number }[];
  /** What was decided of its step, one after another; what is `due` was sent, and the last of these is it. */
  decided: { reason: string; evaluation?: object[] }[];
  channel?: string;
  kind?: string;
  state?: string;
  urgent?: boolean;
  /** Whether a provider was asked for it. */
  called?: boolean;
}

/** Writes down a notification, and why it was sent, as the worker would: for tests of what takes hours or months. */
export async function writeAttempt(
  db: pg.Client,
  { id: userId }: Person,
  { covers, decided, channel = 'email', kind = 'unread', state = 'accepted', urgent = false, called = true }: Written,
): Promise<string> {
  const attemptId = randomUUIDv7();
  await db.query(
    `insert into attempts (user_id, id, episode, channel, kind, state, covers, urgent, claimed_at, called_at)
      values ($1, $2, 1, $3, $4, $5, $6, $7, now(), case when $8 then now() end)`,
    [userId, attemptId, channel, kind, state, JSON.stringify(covers), urgent, called],
  );
  for (const [n, { reason, evaluation = [] }] of decided.entries()) {
    const last = n === decided.length - 1;
    const outcome = last || reason === 'due' ? 'send' : 'deferred';
    await db.query(
      `insert into decisions (user_id, id, episode, at, step, outcome, reason, attempt_id, evaluation, workflow_id, run_id)
        values ($1, $2, 1, $8, $3, $4, $5, $6, $7, 'w', 'r')`,
      [
        ...[userId, randomUUIDv7(), channel, outcome, reason, last ? attemptId : randomUUIDv7()],
        ...[JSON.stringify(evaluation), new Date(Date.now() + n - decided.length)],
      ],
    );
  }
  return attemptId;
}
