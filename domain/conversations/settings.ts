import type { Conversation, ConversationPatch, ConversationSettings } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Tx } from '../../db/client.ts';
import {
  type LockedConversation,
  endConversation,
  settingsChangedSince,
  updateSettings,
} from '../../db/queries/changes.ts';
import { insertRange } from '../../db/queries/outbox.ts';
import { holdConversation, readableConversation } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, faultyField } from '../errors.ts';
import { presentConversation } from './present.ts';
import { recordChange } from './record-change.ts';

/**
 * Changes settings; what stays the same is no change, and nobody is told. With `seen`, a version of the log, the change
 * happens if no setting has changed since, or not at all: what else is written there meanwhile is no reason to refuse.
 */
export async function updateConversation(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  actor: Actor,
  id: ConversationId,
  patch: ConversationPatch,
  seen?: number,
): Promise<Conversation> {
  await commit(deps, async (tx) => {
    const { conversation } = await holdConversation(tx, actor, id, 'changeSettings');
    if (conversation.kind !== 'channel' && patch.visibility === 'open') {
      throw faultyField('visibility', 'not_a_channel', 'only a channel can be open');
    }
    if (seen !== undefined) await expectSettingsOf(tx, conversation, seen);
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

/** A version from the future, or so old that nobody would look through what came since, is none that can be relied on. */
async function expectSettingsOf(tx: Tx, { id, version, lastSeq }: LockedConversation, seen: number): Promise<void> {
  const known = seen <= version && version - seen <= limits.catchUpEvents;
  const since = { version: seen, seq: lastSeq - limits.catchUpEvents };
  if (!known || (await settingsChangedSince(tx, id, since))) throw new DomainError('precondition_failed');
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
    // Before the end: nobody belongs to it afterwards, and what concerns it is written by members.
    const all = { conversationId: id, seqFrom: 0, seqTo: numbers.seq };
    await insertRange(tx, { topic: 'messages.changed', ...all, payload: { reason: 'conversation_deleted' } });
    await endConversation(tx, id, numbers.version);
    return { value: undefined, events: [{ ...told, leaves: 'everybody' as const }] };
  });
}
