import { z } from 'zod';
import type { OutboxTopic } from '../../contracts/events.ts';
import { SendNoticeInput } from '../../contracts/workflows/send-notice.ts';
import { SendVerificationInput } from '../../contracts/workflows/send-verification.ts';
import type { Tx } from '../../db/client.ts';
import { type OutboxRow, claimOutbox, deleteOutbox, postponeOutbox } from '../../db/queries/outbox.ts';
import type { Deps } from '../deps.ts';

const relayLimits = { batch: 50, retryMs: 2_000, asideMs: 60_000, asideMaxMs: 3_600_000 };
const Payload = z.object({ verificationId: z.uuid(), channel: z.enum(['email', 'sms']) });

/** One kind of what is handed on, and the words for it that operators read. */
interface Kind<Input> {
  topic: OutboxTopic;
  inputOf: (row: OutboxRow) => Input | undefined;
  one: string;
  many: string;
}
type StartDeps<Input> = Pick<Deps, 'db' | 'log'> & { start(input: Input): Promise<unknown> };

/** Hands requests for codes to Temporal. */
export const startVerifications = (deps: StartDeps<SendVerificationInput>) =>
  startOwed(deps, {
    topic: 'verification.requested',
    inputOf: ({ userId, payload }) =>
      SendVerificationInput.safeParse({ userId, ...Payload.safeParse(payload).data }).data,
    ...{ one: 'a request for a code', many: 'verification codes' },
  });

/** The same for what people are told about their account. */
export const startNotices = (deps: StartDeps<SendNoticeInput>) =>
  startOwed(deps, {
    topic: 'notice.owed',
    inputOf: ({ payload }) => SendNoticeInput.safeParse(payload).data,
    ...{ one: 'a notice about an account', many: 'notices about accounts' },
  });

/**
 * The rows stay claimed while Temporal is asked, so only these rows wait for a Temporal that is slow; the workflow's id
 * makes a second start harmless.
 */
async function startOwed<Input>(deps: StartDeps<Input>, kind: Kind<Input>): Promise<number> {
  return deps.db.transaction(async (tx) => {
    const rows = await claimOutbox(tx, kind.topic, relayLimits.batch);
    const requests = rows.map((row) => ({ row, input: kind.inputOf(row) }));
    const malformed = requests.filter(({ input }) => input === undefined);
    for (const { row } of malformed) await setAside(tx, deps, row, kind.one);
    const wellFormed = requests.flatMap(({ row, input }) => (input ? [{ id: row.id, input }] : []));
    await startAll(tx, deps, wellFormed, kind.many);
    return rows.length;
  });
}

/** Nobody can do it as it stands. It comes again, each time later, for whoever can; a person is told once. */
async function setAside(tx: Tx, { log }: Pick<Deps, 'log'>, { id, tries }: OutboxRow, what: string): Promise<void> {
  if (tries === 0) log.error(`${what} cannot be understood; it is set aside`, { outboxId: id });
  const delay = Math.min(relayLimits.asideMaxMs, relayLimits.asideMs * 2 ** Math.min(tries, 20));
  await postponeOutbox(tx, [id], delay);
}

async function startAll<Input>(
  tx: Tx,
  deps: StartDeps<Input>,
  requests: readonly { id: number; input: Input }[],
  what: string,
): Promise<void> {
  const results = await Promise.allSettled(requests.map(({ input }) => deps.start(input)));
  const ids = (status: string) => requests.filter((_, index) => results[index]?.status === status).map(({ id }) => id);
  await deleteOutbox(tx, ids('fulfilled'));
  const failed = ids('rejected');
  if (failed.length === 0) return;
  deps.log.warn(`${what} could not be handed to Temporal; they wait`, { rows: failed.length });
  await postponeOutbox(tx, failed, relayLimits.retryMs);
}
