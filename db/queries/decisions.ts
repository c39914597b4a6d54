import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface DecisionRow {
  id: string;
  episode: number;
  at: Date;
  /** The channel, `conversation` for what was called off in one, or `episode` for what concerns it as a whole. */
  step: string;
  /** Of a conversation that was called off. */
  conversationId: ConversationId | null;
  outcome: 'send' | 'deferred' | 'skipped' | 'cancelled' | 'failed';
  reason: string;
  until: Date | null;
  attemptId: string | null;
  evaluation: unknown;
  workflowId: string;
  runId: string;
}

export async function insertDecisions(tx: Tx, userId: UserId, decisions: readonly DecisionRow[]): Promise<void> {
  if (decisions.length === 0) return;
  const column = <Key extends keyof DecisionRow>(key: Key) => decisions.map((decision) => decision[key]);
  await tx.query({
    name: 'insert-decisions',
    text: `
      insert into decisions (user_id, id, episode, at, step, outcome, reason, until, attempt_id, evaluation, workflow_id,
        run_id, conversation_id)
      select $1, * from unnest($2::uuid[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
        $8::timestamptz[], $9::uuid[], $10::jsonb[], $11::text[], $12::text[], $13::uuid[])`,
    values: [
      userId,
      column('id'),
      column('episode'),
      column('at'),
      column('step'),
      column('outcome'),
      column('reason'),
      column('until'),
      column('attemptId'),
      decisions.map(({ evaluation }) => JSON.stringify(evaluation)),
      column('workflowId'),
      column('runId'),
      column('conversationId'),
    ],
  });
}

export type LatestDecision = Pick<DecisionRow, 'outcome' | 'reason' | 'until'>;

/** What was last decided of each of these steps in one episode, however often something was before. */
export async function latestDecisions(
  db: Queryable,
  userId: UserId,
  episode: number,
  steps: readonly string[],
): Promise<Map<string, LatestDecision>> {
  const { rows } = await db.query<LatestDecision & { step: string }>({
    name: 'latest-decisions',
    text: `
      select i.step, d.* from unnest($3::text[]) as i(step) cross join lateral (
        select outcome, reason, until from decisions where user_id = $1 and episode = $2 and step = i.step
        order by at desc, id desc limit 1
      ) d`,
    values: [userId, episode, steps],
  });
  return new Map(rows.map((row) => [row.step, row]));
}
