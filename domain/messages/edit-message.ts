import type {
  ConversationEvent,
  Mention,
  Message,
  MessageEdit,
  MessageRevision,
} from '../../contracts/entities/index.ts';
import type { ConversationChange } from '../../contracts/events.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Tx } from '../../db/client.ts';
import { type TakenNumbers, appendEvent } from '../../db/queries/changes.ts';
import {
  editOf,
  eraseMessage,
  rememberEdit,
  revisionsOf,
  rewriteMessage,
  touchMessage,
} from '../../db/queries/message-changes.ts';
import type { MessageRow } from '../../db/queries/messages.ts';
import { insertRange } from '../../db/queries/outbox.ts';
import { shrinkThread } from '../../db/queries/threads.ts';
import { authorize, holdMessage, readableMessage } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { presentMessage } from '../log/index.ts';
import { fingerprint } from './fingerprint.ts';
import { checkMentions, stillStanding } from './mentions.ts';

type ChangeDeps = Pick<Deps, 'db' | 'publishLive'>;

/**
 * Says something else instead; what it said before is kept as a revision. Mentions of which the edit says nothing stay
 * where their words do. A repeat of the same edit, and one that changes nothing, answer with the message as it is. What was
 * forwarded is never edited.
 */
export async function editMessage(
  deps: ChangeDeps,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
  { clientId, text, mentions: said }: MessageEdit,
): Promise<Message> {
  const row = await commit(deps, async (tx) => {
    const held = await holdMessage(tx, actor, conversationId, id, 'editOwn');
    const { message } = held;
    if (message.kind !== 'text' || message.deletedAt) throw notFound();
    if (message.senderId !== actor.userId) throw notYours();
    if (message.forwardedFrom) throw notYourWords();
    const content = fingerprint(text, said);
    const mentions = said ?? stillStanding(message, text);
    const earlier = await editOf(tx, message, clientId);
    if (earlier && !earlier.equals(content)) throw new DomainError('idempotency_conflict');
    if (earlier) return { value: message };
    if (message.edits >= limits.messageEdits) throw tooManyEdits();
    if (saysTheSame(message, text, mentions)) {
      // Forgotten, its repeat would undo what was said after it.
      await rememberEdit(tx, message, { clientId, fingerprint: content });
      return { value: message };
    }
    const [added, removed] = [without(mentions, message.mentions ?? []), without(message.mentions ?? [], mentions)];
    await checkMentions(tx, held, { mentions, added });
    const numbers = await appendTouch(tx, actor, message, 'message.edited', {});
    const newMentions = mentions.length > 0 ? mentions : null;
    const edit = { version: numbers.version, clientId, fingerprint: content, text, mentions: newMentions };
    await rewriteMessage(tx, message, { ...edit, calls: added.length > 0 });
    await oweAttention(tx, message, { added, removed });
    const edited = { ...message, text, mentions: newMentions, editedAt: numbers.at, changedVersion: numbers.version };
    const recounts = added.length > 0 || removed.length > 0;
    return { value: edited, events: [toldEdit(actor, edited, numbers, recounts)] };
  });
  return presentMessage(row);
}

const saysTheSame = (message: MessageRow, text: string, mentions: readonly Mention[]) =>
  message.text === text && JSON.stringify(message.mentions ?? []) === JSON.stringify(mentions);

/** Mentions of the first whose like is not among the others, wherever in the text they stand. */
function without(mentions: readonly Mention[], others: readonly Mention[]): Mention[] {
  const whom = (mention: Mention) => (mention.type === 'user' ? mention.userId : mention.type);
  const known = new Set(others.map(whom));
  return mentions.filter((mention) => !known.has(whom(mention)));
}

/** Whom an edit mentions for the first time is told as of a new message; for whom it mentions no more there is less to tell. */
async function oweAttention(
  tx: Tx,
  { conversationId, seq, edits }: MessageRow,
  { added, removed }: { added: readonly Mention[]; removed: readonly Mention[] },
): Promise<void> {
  const range = { conversationId, seqFrom: seq, seqTo: seq };
  if (added.length > 0) await insertRange(tx, { topic: 'messages.stored', ...range, payload: { replaced: edits + 1 } });
  if (removed.length > 0)
    await insertRange(tx, { topic: 'messages.changed', ...range, payload: { reason: 'mention_removed' } });
}

const notYours = () => new DomainError('forbidden', { detail: 'Only who wrote a message can change what it says.' });
/** They stand under the name of who wrote them first, which the server vouches for. */
const notYourWords = () =>
  new DomainError('forbidden', {
    detail:
      'What was forwarded keeps the words of who wrote it first; write a message of your own, or delete this one.',
  });
const tooManyEdits = () =>
  new DomainError('limit_reached', {
    detail: `A message may be edited ${limits.messageEdits} times; write a new one.`,
  });

function toldEdit(actor: Actor, message: MessageRow, numbers: TakenNumbers, recounts: boolean): ConversationChange {
  const { id: messageId, seq, text, mentions } = message;
  const data = { messageId, seq, text, mentions: mentions ?? [], editedAt: numbers.at.toISOString() };
  const edit = told(actor, message, numbers, { type: 'message.edited', data });
  return recounts ? { ...edit, recounts } : edit;
}

/**
 * Deletes a message for everyone: its place stays as a tombstone, its text and all earlier versions of it are gone from
 * every table. Its sender may, and who leads the conversation. Doing it twice changes nothing.
 */
export async function deleteMessage(
  deps: ChangeDeps,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
): Promise<Message> {
  const row = await commit(deps, async (tx) => {
    const { message, conversation, role } = await holdMessage(tx, actor, conversationId, id);
    const own = message.senderId === actor.userId;
    const right = own ? 'deleteOwn' : 'deleteAny';
    if (message.kind !== 'text') throw isOfTheConversation();
    authorize({ ...conversation, role }, right);
    if (message.deletedAt) return { value: message };
    const numbers = await appendTouch(tx, actor, message, 'message.deleted', {});
    await eraseMessage(tx, message, numbers.version);
    const { seq, threadId } = message;
    const range = { conversationId, seqFrom: seq, seqTo: seq };
    await insertRange(tx, { topic: 'messages.changed', ...range, payload: { reason: 'message_deleted' } });
    const thread =
      message.threadSeq === null ? null : ((await shrinkThread(tx, conversationId, message.threadSeq)) ?? null);
    const deleted = tombstone(message, numbers);
    const data = { messageId: id, seq, deletedAt: numbers.at.toISOString(), threadId, thread };
    const change = told(actor, message, numbers, { type: 'message.deleted', data });
    return { value: deleted, events: [{ ...change, recounts: true }] };
  });
  return presentMessage(row);
}

const isOfTheConversation = () =>
  new DomainError('forbidden', { detail: 'What the conversation says of its own changes is not deleted.' });

const tombstone = (message: MessageRow, { at, version }: TakenNumbers): MessageRow => ({
  ...message,
  ...{ text: null, mentions: null, forwardedFrom: null, reactions: null, pinnedAt: null },
  ...{ deletedAt: at, changedVersion: version },
});

/** What the message has said, oldest first; the last is what it says now. Of a deleted one nothing is left. */
export async function messageHistory(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
): Promise<MessageRevision[]> {
  const { message, membership } = await readableMessage(deps.db, actor, conversationId, id);
  if (message.text === null) return [];
  const { text, mentions } = message;
  const now = { text, mentions, writtenAt: message.editedAt ?? message.createdAt };
  const revisions = [...(await revisionsOf(deps.db, membership, message.seq)), now];
  return revisions.map((revision) => ({
    text: revision.text,
    mentions: revision.mentions ?? [],
    writtenAt: revision.writtenAt.toISOString(),
  }));
}

/** Takes the next version for a change of a message and writes down which message it was. */
export function appendTouch(
  tx: Tx,
  actor: Actor,
  message: Pick<MessageRow, 'conversationId' | 'seq'>,
  type: ConversationEvent['type'],
  data: object,
): Promise<TakenNumbers> {
  const { conversationId, seq: messageSeq } = message;
  return appendEvent(tx, { conversationId, actorId: actor.userId, type, messageSeq, data });
}

/** The same for changes that leave the message's own row otherwise as it is. */
export async function appendAndTouch(
  tx: Tx,
  actor: Actor,
  message: MessageRow,
  type: ConversationEvent['type'],
  data: object,
): Promise<TakenNumbers> {
  const numbers = await appendTouch(tx, actor, message, type, data);
  await touchMessage(tx, message, numbers.version);
  return numbers;
}

type Typed<Event> = Event extends ConversationEvent ? Pick<Event, 'type' | 'data'> : never;

/** A change of a message as it is told live. */
export function told(
  actor: Actor,
  { conversationId, seq }: Pick<MessageRow, 'conversationId' | 'seq'>,
  { version, at, memberVersion }: TakenNumbers,
  entry: Typed<ConversationEvent>,
): ConversationChange {
  const logged = { conversationId, version, at: at.toISOString(), actorId: actor.userId };
  const event = { ...logged, ...entry } as ConversationEvent;
  return { type: 'conversation.event', event, memberVersion, messageSeq: seq };
}
