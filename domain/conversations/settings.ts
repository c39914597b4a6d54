import type { Conversation, ConversationPatch, ConversationSettings } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { endConversation, updateSettings } from '../../db/queries/changes.ts';
import { holdConversation, readableConversation } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { faultyField } from '../errors.ts';
import { presentConversation } from './present.ts';
import { recordChange } from './record-change.ts';

/** Changes settings; what stays the same is no change, and nobody is told. */
export async function updateConversation(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  actor: Actor,
  id: ConversationId,
  patch: ConversationPatch,
): Promise<Conversation> {
  await commit(deps, async (tx) => {
    const { conversation } = await holdConversation(tx, actor, id, 'changeSettings');
    if (conversation.kind !== 'channel' && patch.visibility === 'open') {
      throw faultyField('visibility', 'not_a_channel', 'only a channel can be open');
    }
    const before = settingsOf(conversation);
    const settings = { ...before, ...given(patch) };
    if (JSON.stringify(settings) === JSON.stringify(before)) return { value: undefined };
    await updateSettings(tx, id, settings);
    const change = { type: 'conversation.updated' as const, settings };
    // Who may write may have changed: a send that was judged by the older settings stores nothing.
    const { told } = await recordChange(tx, deps, actor, conversation, change, { rights: true });
    return { value: undefined, events: [told] };
  });
  return presentConversation(await readableConversation(deps.db, actor, id));
}

const settingsOf = ({ title, description, visibility, posting, history }: ConversationSettings) => ({
  ...{ title, description, visibility, posting, history },
});

const given = (patch: ConversationPatch) =>
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as Partial<ConversationSettings>;

/** Ends a conversation for everybody: each is told, and nobody is a member any more. */
export async function deleteConversation(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  actor: Actor,
  id: ConversationId,
): Promise<void> {
  await commit(deps, async (tx) => {
    const { conversation } = await holdConversation(tx, actor, id, 'end');
    // Nobody is named: there may be a hundred thousand of them, and all are meant.
    const change = {
      type: 'members.removed' as const,
      userIds: [],
      how: 'conversation_deleted' as const,
      memberCount: 0,
    };
    const head = { members: -conversation.memberCount };
    const { told, numbers } = await recordChange(tx, deps, actor, conversation, change, head);
    await endConversation(tx, id, numbers.version);
    return { value: undefined, events: [{ ...told, leaves: 'everybody' as const }] };
  });
}
