import type { Draft } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import type { DraftInput } from '../../contracts/rest/read-state.ts';
import { type DraftRow, deleteDraft, draftsOf, putDraft } from '../../db/queries/drafts.ts';
import { readableMembership } from '../access/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { faultyField, notFound } from '../errors.ts';

/** Keeps what the actor has begun to write, and tells their other devices. The last writer wins. */
export async function keepDraft(
  deps: Pick<Deps, 'db' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  { text, replyTo }: DraftInput,
): Promise<Draft> {
  await readableMembership(deps.db, actor, conversationId);
  const row = await putDraft(deps.db, actor.userId, {
    conversationId,
    text,
    replyTo: (replyTo ?? null) as MessageId | null,
  });
  if (!row) throw faultyField('replyTo', 'not_found', 'names no message of this conversation');
  const draft = presentDraft(row);
  deps.publishLive([{ type: 'draft.changed', userId: actor.userId, conversationId, draft }]);
  return draft;
}

/** Throws the draft away; with `at`, only the one that was written then. */
export async function dropDraft(
  deps: Pick<Deps, 'db' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  { at }: { at?: string | undefined } = {},
): Promise<void> {
  const dropped = await deleteDraft(deps.db, actor.userId, conversationId, at === undefined ? null : new Date(at));
  if (!dropped) throw notFound();
  deps.publishLive([{ type: 'draft.changed', userId: actor.userId, conversationId, draft: null }]);
}

/** Drafts in conversations that the actor belongs to, the latest first. */
export async function listDrafts(deps: Pick<Deps, 'db'>, actor: Actor): Promise<Draft[]> {
  return (await draftsOf(deps.db, actor.userId)).map(presentDraft);
}

const presentDraft = ({ at, ...draft }: DraftRow): Draft => ({ ...draft, at: at.toISOString() });
