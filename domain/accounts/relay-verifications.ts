import { z } from 'zod';
import { SendVerificationInput } from '../../contracts/workflows/send-verification.ts';
import { claimOutbox, deleteOutbox, postponeOutbox } from '../../db/queries/outbox.ts';
import type { Deps } from '../deps.ts';

const relayLimits = { batch: 50, retryMs: 2_000 };
const Payload = z.object({ verificationId: z.uuid(), channel: z.enum(['email', 'sms']) });

/**
 * Hands requests for codes to Temporal. The rows stay claimed while it is asked, so only these rows wait for a Temporal
 * that is slow; the workflow's id makes a second start harmless.
 */
export async function startVerifications(
  deps: Pick<Deps, 'db' | 'log'> & { start(input: SendVerificationInput): Promise<unknown> },
): Promise<number> {
  return deps.db.transaction(async (tx) => {
    const rows = await claimOutbox(tx, 'verification.requested', relayLimits.batch);
    const results = await Promise.allSettled(
      rows.map(({ userId, payload }) => deps.start(SendVerificationInput.parse({ userId, ...Payload.parse(payload) }))),
    );
    const ids = (status: string) => rows.filter((_, index) => results[index]?.status === status).map(({ id }) => id);
    await deleteOutbox(tx, ids('fulfilled'));
    const failed = ids('rejected');
    if (failed.length > 0) {
      deps.log.warn('verification codes could not be handed to Temporal; they wait', { rows: failed.length });
      await postponeOutbox(tx, failed, relayLimits.retryMs);
    }
    return rows.length;
  });
}
