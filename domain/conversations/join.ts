import type { Conversation } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { type LockedConversation, lockConversation } from '../../db/queries/changes.ts';
import { inviteByCode, useInvite } from '../../db/queries/invites.ts';
import { candidates } from '../../db/queries/memberships.ts';
import { readableConversation } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { admit } from './members.ts';
import { presentConversation } from './present.ts';

type JoinDeps = Pick<Deps, 'db' | 'newId' | 'publishLive'>;

/** Joins an open channel. One that is not open looks as if it were not there. */
export async function joinChannel(deps: JoinDeps, actor: Actor, id: ConversationId): Promise<Conversation> {
  await commit(asEverybody(deps), async (tx) => {
    const conversation = await lockConversation(tx, id);
    if (conversation?.kind !== 'channel' || conversation.visibility !== 'open') throw notFound();
    return enter(tx, deps, actor, conversation);
  });
  return presentConversation(await readableConversation(deps.db, actor, id));
}

/**
 * Joins by an invitation code. Who belongs to it already uses nothing up, and is answered by a code that is used up, too:
 * it may be their own joining that used it, and its answer that was lost.
 */
export async function acceptInvite(deps: JoinDeps, actor: Actor, code: string): Promise<Conversation> {
  const id = await commit(asEverybody(deps), async (tx) => {
    const invite = await inviteByCode(tx, code);
    if (!invite || !(invite.isGood || (await belongs(tx, actor, invite.conversationId)))) throw notFound();
    const conversation = await lockConversation(tx, invite.conversationId);
    if (!conversation) throw notFound();
    const { events } = await enter(tx, deps, actor, conversation);
    if (events.length > 0 && !(await useInvite(tx, conversation.id, invite.id))) throw notFound();
    return { value: conversation.id, events };
  });
  return presentConversation(await readableConversation(deps.db, actor, id));
}

/** Whoever comes is no member yet, and only those who lead a conversation make members: what lets them in is judged here. */
const asEverybody = (deps: JoinDeps): JoinDeps => ({ ...deps, db: deps.db.asEverybody() });

async function belongs(tx: Tx, actor: Actor, id: ConversationId): Promise<boolean> {
  const [person] = await candidates(tx, id, [actor.userId]);
  return person?.isMember === true;
}

/** To who is banned the conversation looks as if it were not there. */
async function enter(tx: Tx, deps: Pick<Deps, 'newId'>, actor: Actor, conversation: LockedConversation) {
  const [person] = await candidates(tx, conversation.id, [actor.userId]);
  if (!person || person.banned) throw notFound();
  if (person.isMember) return { value: undefined, events: [] };
  const events = await admit(tx, deps, actor, conversation, [{ userId: actor.userId, role: 'member' }]);
  return { value: undefined, events };
}
