import { z } from 'zod';
import { SendVerificationInput } from '../../contracts/workflows/send-verification.ts';
import type { Tx } from '../../db/client.ts';
import { type OutboxRow, claimOutbox, deleteOutbox, postponeOutbox } from '../../db/queries/outbox.ts';
import type { Deps } from '../deps.ts';

const relayLimits = { batch: 50, retryMs: 2_000, asideMs: 60_000, asideMaxMs: 3_600_000 };
const Payload = z.object({ verificationId: z.uuid(), channel: z.enum(['email', 'sms']) });

type StartDeps = Pick<Deps, 'db' | 'log'> & { start(input: SendVerificationInput): Promise<unknown> };

/**
 * Hands requests for codes to Temporal. The rows stay claimed while it is asked, so only these rows wait for a Temporal
 * that is slow; the workflow's id makes a second start harmless.
 */
export async function startVerifications(deps: StartDeps): Promise<number> {
  return deps.db.transaction(async (tx) => {
    const rows = await claimOutbox(tx, 'verification.requested', relayLimits.batch);
    const requests = rows.map((row) => ({ row, input: inputOf(row) }));
    const malformed = requests.filter(({ input }) => input === undefined);
    for (const { row } of malformed) await setAside(tx, deps, row);
    const wellFormed = requests.flatMap(({ row, input }) => (input ? [{ id: row.id, input }] : []));
    await startAll(tx, deps, wellFormed);
    return rows.length;
  });
}

function inputOf({ userId, payload }: OutboxRow): SendVerificationInput | undefined {
  const parsed = Payload.safeParse(payload);
  return SendVerificationInput.safeParse({ userId, ...parsed.data }).data;
}

/** Nobody can do it as it stands. It comes again, each time later, for whoever can; a person is told once. */
async function setAside(tx: Tx, { log }: Pick<Deps, 'log'>, { id, tries }: OutboxRow): Promise<void> {
  if (tries === 0) log.error('a request for a code cannot be understood; it is set aside', { outboxId: id });
  const delay = Math.min(relayLimits.asideMaxMs, relayLimits.asideMs * 2 ** Math.min(tries, 20));
  await postponeOutbox(tx, [id], delay);
}

async function startAll(
  tx: Tx,
  deps: StartDeps,
  requests: readonly { id: number; input: SendVerificationInput }[],
): Promise<void> {
  const results = await Promise.allSettled(requests.map(({ input }) => deps.start(input)));
  const ids = (status: string) => requests.filter((_, index) => results[index]?.status === status).map(({ id }) => id);
  await deleteOutbox(tx, ids('fulfilled'));
  const failed = ids('rejected');
  if (failed.length === 0) return;
  deps.log.warn('verification codes could not be handed to Temporal; they wait', { rows: failed.length });
  await postponeOutbox(tx, failed, relayLimits.retryMs);
}
