import type { Message } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { countReactions, deleteReaction, insertReaction, reactionsPage } from '../../db/queries/message-changes.ts';
import { holdMessage, readableMessage, readableTo } from '../access/index.ts';
import { commit } from '../commit.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { presentMessage } from '../log/index.ts';
import { appendAndTouch, told } from './edit-message.ts';
import { normalizeEmoji } from './emoji.ts';

export interface ReactionChange {
  emoji: string;
  /** False takes the reaction back. */
  on: boolean;
}

/**
 * Reacts, or takes the reaction back, which they may, too, who may write no longer, as they may delete what they wrote. What
 * is so already is no change: it takes no number and nobody is told.
 */
export async function setReaction(
  deps: Pick<Deps, 'db' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
  { emoji: typed, on }: ReactionChange,
): Promise<Message> {
  const emoji = normalizeEmoji(typed);
  const row = await commit(deps, async (tx) => {
    const { message, scope } = await holdMessage(tx, actor, conversationId, id, on ? 'react' : 'unreact');
    if (message.kind !== 'text' || message.deletedAt) throw notFound();
    const change = on ? insertReaction : deleteReaction;
    if (!(await change(tx, message, emoji, actor.userId))) return { value: message };
    const { count, kinds } = await countReactions(tx, message, emoji);
    if (kinds > limits.reactionKinds) throw tooManyKinds();
    const type = on ? ('reaction.added' as const) : ('reaction.removed' as const);
    const reaction = { emoji, userId: actor.userId, count };
    const numbers = await appendAndTouch(tx, actor, message, type, reaction);
    const now = await readableTo(tx, scope, id);
    const data = { messageId: id, seq: message.seq, ...reaction };
    return { value: now, events: [told(actor, message, numbers, { type, data })] };
  });
  return presentMessage(row);
}

const tooManyKinds = () =>
  new DomainError('limit_reached', {
    detail: `A message takes ${limits.reactionKinds} kinds of reactions; join one that is there.`,
  });

export async function listReactions(
  deps: Pick<Deps, 'db' | 'mac'>,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
) {
  const { message, membership } = await readableMessage(deps.db, actor, conversationId, id);
  const list = `reactions:${id}`;
  const [emoji, userId] = cursor === undefined ? [] : openCursor(deps, list, cursor);
  const after = emoji === undefined || userId === undefined ? undefined : { emoji, userId };
  const rows = await reactionsPage(deps.db, membership, message.seq, { after, limit: limit + 1 });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(({ at, ...reaction }) => ({ ...reaction, at: at.toISOString() })),
    nextCursor: rows.length > limit && last ? sealCursor(deps, list, [last.emoji, last.userId]) : null,
  };
}
