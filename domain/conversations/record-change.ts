import type { SystemChange } from '../../contracts/entities/index.ts';
import type { ConversationChange } from '../../contracts/events.ts';
import type { MessageId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import {
  type HeadChange,
  type LockedConversation,
  type TakenNumbers,
  appendEvent,
  appendSystemMessage,
} from '../../db/queries/changes.ts';
import { namedPeople } from '../../db/queries/log.ts';
import type { MessageRow } from '../../db/queries/messages.ts';
import type { Actor, Deps } from '../deps.ts';
import { presentChange, presentMessage } from '../log/index.ts';

/**
 * Writes a change of a conversation into its log and answers with what is told of it: as a line that people see in the
 * timeline, but for who comes to a channel and who goes, where that would be all that anybody sees.
 */
export async function recordChange(
  tx: Tx,
  deps: Pick<Deps, 'newId'>,
  actor: Pick<Actor, 'userId'>,
  conversation: Pick<LockedConversation, 'id' | 'kind'>,
  change: SystemChange,
  head?: HeadChange,
): Promise<{ told: ConversationChange; numbers: TakenNumbers }> {
  const { id: conversationId } = conversation;
  const shown = conversation.kind !== 'channel' || !change.type.startsWith('members.');
  const common = { conversationId, actorId: actor.userId, head };
  const id = deps.newId() as MessageId;
  const { type, ...data } = change;
  const numbers: TakenNumbers & { row?: MessageRow } = shown
    ? await appendSystemMessage(tx, { ...common, id, clientId: deps.newId(), system: change })
    : await appendEvent(tx, { ...common, type, data });
  const { version, memberVersion } = numbers;
  const logged = { conversationId, version, at: numbers.at.toISOString(), actorId: actor.userId };
  const message = numbers.row ? presentMessage(numbers.row) : null;
  const added = change.type === 'members.added' ? change.members.map(({ userId }) => userId) : [];
  const event = presentChange(logged, change, message, await namedPeople(tx, added));
  return { told: { type: 'conversation.event', event, memberVersion }, numbers };
}
