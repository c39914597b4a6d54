import { limits } from '../../contracts/limits.ts';
import type { Db } from '../../db/client.ts';
import { messageByClientId } from '../../db/queries/messages.ts';
import { type NewMessageRow, type StoreResult, storeMessagesIn } from '../../db/queries/store-messages.ts';
import { type UrgentFreeIn, insertUrgentSend, lockUrgentSends, urgentFreeIn } from '../../db/queries/urgent-sends.ts';
import { sendRights } from '../access/index.ts';
import { DomainError } from '../errors.ts';

/**
 * Stores urgent messages, of which a person has a few in any day, and for each recipient fewer: an urgent message
 * disturbs. What is spent is written in the transaction of the message itself, so whatever is refused, lost or repeated
 * costs nothing, whenever a process dies.
 */
export async function storeUrgent(db: Db, batch: readonly NewMessageRow[]): Promise<StoreResult[]> {
  const results: StoreResult[] = [];
  for (const [place, row] of batch.entries()) results.push({ ...(await storeOne(db, row)), place });
  return results;
}

const storeOne = (db: Db, row: NewMessageRow): Promise<StoreResult> =>
  db.transaction(async (tx) => {
    const { senderId, conversationId, clientId } = row;
    await lockUrgentSends(tx, senderId);
    const freeIn = await urgentFreeIn(tx, senderId, conversationId, {
      perDay: limits.urgentPerDay,
      perRecipient: limits.urgentPerRecipient,
    });
    const isSpent = freeIn.sender !== null || freeIn.recipients !== null;
    if (isSpent && !(await messageByClientId(tx, senderId, conversationId, clientId))) throw spent(freeIn);
    const [result] = await storeMessagesIn(tx, [row], sendRights);
    if (!result) throw new Error('a message that was to be stored has no result');
    if (result.status === 'stored') await insertUrgentSend(tx, senderId, { messageId: row.id, conversationId });
    return result;
  });

function spent({ sender, recipients }: UrgentFreeIn): DomainError {
  const told =
    sender === null
      ? `Somebody here has had ${limits.urgentPerRecipient} urgent messages of yours within a day`
      : `You may send ${limits.urgentPerDay} urgent messages a day`;
  return new DomainError('urgent_limit', {
    detail: `${told}; send it as a normal one.`,
    retryAfterMs: Math.max(sender ?? 0, recipients ?? 0),
  });
}
