import type { ConversationSettings, SystemChange } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../client.ts';
import type { MessageRow } from './messages.ts';

/** The head of a conversation, locked: until the transaction ends nothing else changes it, sends and members included. */
export interface LockedConversation extends ConversationSettings {
  id: ConversationId;
  kind: 'direct' | 'group' | 'channel';
  version: number;
  lastSeq: number;
  memberCount: number;
  memberVersion: number;
  /** Direct, and one of the two has blocked the other. */
  blocked: boolean;
}

const head = `c.id, c.kind, c.title, c.description, c.visibility, c.posting, c.history, c.version, c.last_seq as "lastSeq",
  c.member_count as "memberCount", c.member_version as "memberVersion", c.blocked`;

/** Locks a conversation that was not deleted. What is read of its members afterwards is what counts. */
export async function lockConversation(tx: Tx, id: ConversationId): Promise<LockedConversation | undefined> {
  const { rows } = await tx.query<LockedConversation>({
    name: 'lock-conversation',
    text: `select ${head} from conversations c where c.id = $1 and c.deleted_at is null for no key update`,
    values: [id],
  });
  return rows[0];
}

/**
 * The same for a member. The membership is looked for first: to who has none a conversation takes no longer than one that
 * is nowhere, and they hold up nobody in it.
 */
export async function lockConversationOf(
  tx: Tx,
  userId: UserId,
  id: ConversationId,
): Promise<LockedConversation | undefined> {
  const { rows } = await tx.query<LockedConversation>({
    name: 'lock-conversation-of',
    text: `
      with mine as materialized (
        select conversation_id from members where conversation_id = $1 and user_id = $2 and left_at is null
      )
      select ${head} from mine join conversations c on c.id = mine.conversation_id where c.deleted_at is null
      for no key update of c`,
    values: [id, userId],
  });
  return rows[0];
}

/** What a change does to the head, beside taking the next version. */
export interface HeadChange {
  /** Members who came, less those who went. */
  members?: number;
  /** Rights changed: sends that were judged by the older membership store nothing. */
  rights?: boolean;
}

/** The numbers and the time that a change of a conversation takes. */
export interface TakenNumbers {
  version: number;
  seq: number;
  memberCount: number;
  memberVersion: number;
  at: Date;
}

interface Change {
  conversationId: ConversationId;
  actorId: UserId;
  head?: HeadChange | undefined;
}

/** A change that stands in the log alone: nobody sees a line of it in the timeline. */
export async function appendEvent(
  tx: Tx,
  change: Change & { type: string; messageSeq?: number | undefined; data: unknown },
): Promise<TakenNumbers> {
  const { rows } = await tx.query<TakenNumbers>({
    name: 'append-event',
    text: `
      with head as (
        update conversations set version = version + 1, member_count = member_count + $3, member_version = member_version + $4
        where id = $1 returning version, last_seq, member_count, member_version
      ), entry as (
        insert into events (conversation_id, version, seq, type, actor_id, at, message_seq, data)
        select $1, version, last_seq, $5, $2, now(), $6, $7::jsonb from head
      )
      select version, last_seq as seq, member_count as "memberCount", member_version as "memberVersion", now() as at from head`,
    values: [
      change.conversationId,
      change.actorId,
      ...headValues(change.head),
      change.type,
      change.messageSeq ?? null,
      JSON.stringify(change.data),
    ],
  });
  return rows[0] as TakenNumbers;
}

/** A change that people see: a message of kind system, which is its own entry of the log. */
export async function appendSystemMessage(
  tx: Tx,
  change: Change & { id: MessageId; clientId: string; system: SystemChange },
): Promise<TakenNumbers & { row: MessageRow }> {
  const { rows } = await tx.query<TakenNumbers & { row: MessageRow }>({
    name: 'append-system-message',
    text: `
      with head as (
        update conversations set version = version + 1, last_seq = last_seq + 1, last_active_at = greatest(last_active_at, now()),
          member_count = member_count + $3, member_version = member_version + $4
        where id = $1 returning version, last_seq, member_count, member_version
      ), line as (
        insert into messages (conversation_id, seq, version, changed_version, id, client_id, sender_id, kind, system, fingerprint, created_at)
        select $1, last_seq, version, version, $5, $6, $2, 'system', $7::jsonb, '', now() from head
      )
      select version, last_seq as seq, member_count as "memberCount", member_version as "memberVersion", now() as at from head`,
    values: [
      change.conversationId,
      change.actorId,
      ...headValues(change.head),
      change.id,
      change.clientId,
      JSON.stringify(change.system),
    ],
  });
  const numbers = rows[0] as TakenNumbers;
  return { ...numbers, row: systemRow(change, numbers) };
}

/** The line as it was just written: nobody has touched it yet. */
function systemRow(
  { conversationId, actorId, id, clientId, system }: Change & { id: MessageId; clientId: string; system: SystemChange },
  { seq, version, at }: TakenNumbers,
): MessageRow {
  return {
    ...{ conversationId, seq, version, changedVersion: version, id, clientId, senderId: actorId, createdAt: at },
    ...{ kind: 'system', text: null, system, replyTo: null, threadId: null, threadSeq: null, forwardedFrom: null },
    ...{ mentions: null, priority: 'normal', edits: 0, editedAt: null, deletedAt: null, pinnedAt: null },
    ...{ reactions: null, thread: null, fromBlocked: false },
  };
}

const headValues = ({ members = 0, rights = members !== 0 }: HeadChange = {}) => [members, rights ? 1 : 0];

/** Changes settings; a key that is left out stays. */
export async function updateSettings(tx: Tx, id: ConversationId, settings: ConversationSettings): Promise<void> {
  await tx.query({
    name: 'update-settings',
    text: `update conversations set title = $2, description = $3, visibility = $4, posting = $5, history = $6 where id = $1`,
    values: [id, settings.title, settings.description, settings.visibility, settings.posting, settings.history],
  });
}

/**
 * Whether settings have changed since a version. Of a change people see a line, so the lines are looked through: those
 * after a message that is no newer than the version.
 */
export async function settingsChangedSince(
  tx: Tx,
  id: ConversationId,
  since: { version: number; seq: number },
): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'settings-changed-since',
    text: `select from messages where conversation_id = $1 and seq > $2 and version > $3 and kind = 'system'
      and system->>'type' = 'conversation.updated' limit 1`,
    values: [id, since.seq, since.version],
  });
  return rowCount === 1;
}

/** The conversation is over with the change of that version: nothing locks it any more, and nobody is a member. */
export async function endConversation(tx: Tx, id: ConversationId, version: number): Promise<void> {
  await tx.query({
    name: 'end-conversation',
    text: `
      with ended as (update conversations set deleted_at = now() where id = $1)
      update members set left_at = now(), left_version = $2 where conversation_id = $1 and left_at is null`,
    values: [id, version],
  });
}
