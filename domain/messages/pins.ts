import type { Message } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { countPins, setPin } from '../../db/queries/message-changes.ts';
import { pinnedMessages } from '../../db/queries/messages.ts';
import { holdMessage, readAsMember } from '../access/index.ts';
import { commit } from '../commit.ts';
import { recordChange } from '../conversations/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { presentMessage } from '../log/index.ts';

/** Pins a message or takes the pin away. What is so already is no change. */
export async function pinMessage(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  messageId: MessageId,
  pinned: boolean,
): Promise<void> {
  await commit(deps, async (tx) => {
    const { conversation, message } = await holdMessage(tx, actor, conversationId, messageId, 'pin');
    if (message.kind !== 'text' || message.deletedAt) throw notFound();
    if ((message.pinnedAt !== null) === pinned) return { value: undefined };
    if (pinned && (await countPins(tx, conversationId)) >= limits.pinnedMessages) throw tooManyPins();
    const type = pinned ? ('message.pinned' as const) : ('message.unpinned' as const);
    const { told, numbers } = await recordChange(tx, deps, actor, conversation, { type, messageId, seq: message.seq });
    await setPin(tx, message, { pinned, version: numbers.version });
    return { value: undefined, events: [told] };
  });
}

const tooManyPins = () =>
  new DomainError('limit_reached', {
    detail: `A conversation may have ${limits.pinnedMessages} pinned messages; take one down first.`,
  });

/** Pinned messages, the latest pinned first. */
export async function listPins(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  conversationId: ConversationId,
): Promise<Message[]> {
  const rows = await readAsMember(deps.db, actor, conversationId, (scope) => pinnedMessages(deps.db, scope));
  return rows.map(presentMessage);
}
