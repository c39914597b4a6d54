import type { Role } from '../../contracts/entities/index.ts';
import type { ConversationChange } from '../../contracts/events.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { lockConversation } from '../../db/queries/changes.ts';
import { heirOf, ownedBy, roleOf, setRole } from '../../db/queries/memberships.ts';
import type { Deps } from '../deps.ts';
import { recordChange } from './record-change.ts';

/**
 * Takes from a bot that is ended what it owns, so that nothing is left to whom nobody can ask. Where nobody else owns it, who
 * answered for the bot does if they belong to it, or else who leads it, or has belonged to it, for the longest. Where no
 * person is left it stays: there is nobody whom it could serve.
 */
export async function stepDown(
  tx: Tx,
  deps: Pick<Deps, 'newId'>,
  { botId, ownerId }: { botId: UserId; ownerId: UserId },
): Promise<ConversationChange[]> {
  const told: ConversationChange[] = [];
  for (const id of await ownedBy(tx, botId)) {
    const conversation = await lockConversation(tx, id);
    // Behind the lock: its owners may have become others meanwhile.
    if (!conversation || (await roleOf(tx, id, botId))?.role !== 'owner') continue;
    const heir = await heirOf(tx, id, { of: botId, first: ownerId });
    if (!heir) continue;
    const members: { userId: UserId; role: Role }[] = [
      ...(heir.role === 'owner' ? [] : [{ userId: heir.userId, role: 'owner' as const }]),
      { userId: botId, role: 'member' },
    ];
    for (const { userId, role } of members) await setRole(tx, id, userId, role);
    const change = { type: 'members.changed' as const, members };
    told.push((await recordChange(tx, deps, { userId: botId }, conversation, change, { rights: true })).told);
  }
  return told;
}
