import type { AttemptId } from '../../contracts/ids.ts';
import type { NotificationReceipt } from '../../contracts/rest/index.ts';
import { appendAttemptEvent, markReported } from '../../db/queries/attempt-reports.ts';
import { attemptOf } from '../../db/queries/attempts.ts';
import { lockAttention, lookAgain } from '../../db/queries/episodes.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';

const statusOf = { shown: 'delivered', opened: 'engaged' } as const;

/**
 * A device says that it shows what an attempt told, or that somebody opened it. It settles what nobody knew of the call,
 * and cancels nothing: only reading does. Told twice it counts once.
 */
export async function receiveNotificationReceipt(
  deps: Pick<Deps, 'db' | 'now' | 'meter'>,
  { userId, sessionId }: Actor,
  attemptId: AttemptId,
  { event }: NotificationReceipt,
): Promise<void> {
  const isNew = await deps.db.transaction(async (tx) => {
    await lockAttention(tx, userId);
    if (!(await attemptOf(tx, userId, attemptId)))
      throw new DomainError('not_found', {
        detail: 'There is no such notification of yours; take the id from the push.',
      });
    const at = deps.now();
    const receipt = { key: `client:${sessionId}:${event}`, source: 'client', kind: event, at };
    const isNew = await appendAttemptEvent(tx, userId, attemptId, receipt);
    const settled = await markReported(tx, userId, attemptId, statusOf[event], at);
    if (settled) await lookAgain(tx, [userId], 0);
    return isNew;
  });
  if (isNew) deps.meter.acknowledged(event);
}
