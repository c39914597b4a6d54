import type {
  ConversationEvent,
  ConversationSettings,
  Member,
  Message,
  SystemChange,
} from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Queryable } from '../../db/client.ts';
import { type LogRow, type NamedPerson, namedPeople } from '../../db/queries/log.ts';
import type { MessageRow } from '../../db/queries/messages.ts';
import { presentMessage } from './message.ts';

/** Where and when, of every entry. */
export interface Logged {
  conversationId: ConversationId;
  version: number;
  at: string;
  actorId: UserId;
}
export type People = ReadonlyMap<UserId, NamedPerson>;

/** A change as an entry of the log, whether people see a line of it in the timeline or not. */
export function presentChange(
  logged: Logged,
  change: SystemChange,
  message: Message | null,
  people: People,
): ConversationEvent {
  switch (change.type) {
    case 'members.added': {
      const { memberCount } = change;
      // A channel shows no line of it, and tells no receipts.
      const seq = memberCount <= limits.namedMembers ? (message?.seq ?? null) : null;
      const members = change.members.map((member) => newMember(member, people.get(member.userId), seq));
      return { ...logged, type: change.type, data: { members, memberCount, message } };
    }
    case 'members.removed': {
      const { userIds, how, memberCount } = change;
      return { ...logged, type: change.type, data: { userIds, how, memberCount, message } };
    }
    case 'members.changed':
      return { ...logged, type: change.type, data: { members: change.members, message } };
    case 'conversation.updated':
      return { ...logged, type: change.type, data: { settings: change.settings, message } };
    case 'message.pinned': {
      const { messageId, seq } = change;
      return { ...logged, type: change.type, data: { messageId, seq, pinnedAt: logged.at, message } };
    }
    case 'message.unpinned': {
      const { messageId, seq } = change;
      return { ...logged, type: change.type, data: { messageId, seq, pinnedAt: null, message } };
    }
  }
}

/**
 * A member as an entry of the log tells them who has come at a seq: so far they count as having read. Null where the
 * conversation tells no receipts by name. Whether the person tells what they read is told as it is now.
 */
export const newMember = (
  { userId, role }: Pick<Member, 'userId' | 'role'>,
  person: NamedPerson | undefined,
  seq: number | null,
): Member => ({
  userId,
  // Of an account that is gone nothing is kept, its name included.
  displayName: person?.displayName ?? '',
  role,
  deliveredSeq: seq,
  readSeq: person?.tellRead ? seq : null,
  cameSeq: seq,
});

/** Entries of the log as their reader sees them: the same shapes that were told live. */
export async function presentLog(db: Queryable, rows: readonly LogRow[]): Promise<ConversationEvent[]> {
  const people = await namedPeople(db, rows.flatMap(peopleOf));
  return rows.map((row) => presentEntry(row, people));
}

/** What a change of its own keeps in the log, by type. */
interface Stored {
  'conversation.created': ConversationSettings & {
    kind: 'direct' | 'group' | 'channel';
    members: Pick<Member, 'userId' | 'role'>[];
    memberCount: number;
  };
  reaction: { emoji: string; userId: UserId; count: number };
}

function peopleOf({ type, data, message, isMessage }: LogRow): UserId[] {
  const change = isMessage ? message?.system : (data as Partial<Stored['conversation.created']>);
  const added =
    type === 'conversation.created' || type === 'members.added' || message?.system?.type === 'members.added';
  return added && change && 'members' in change ? (change.members ?? []).map(({ userId }) => userId) : [];
}

function presentEntry(row: LogRow, people: People): ConversationEvent {
  const logged = {
    conversationId: row.conversationId,
    version: row.version,
    at: row.at.toISOString(),
    actorId: row.actorId,
  };
  if (row.hidden) return { ...logged, type: 'hidden', data: {} };
  if (row.isMessage && row.message) return presentWritten(logged, row.message, people);
  if (row.type === 'conversation.created') {
    const created = row.data as Stored['conversation.created'];
    const members = created.members.map((member) => newMember(member, people.get(member.userId), firstSeq(created)));
    return { ...logged, type: row.type, data: { ...created, members } };
  }
  if (row.message) return presentTouched(logged, row, row.message);
  return presentChange(logged, { type: row.type, ...(row.data as object) } as SystemChange, null, people);
}

/** Where who is there from the beginning begins to read; null where it is told of nobody. */
export const firstSeq = ({ kind }: Pick<Stored['conversation.created'], 'kind'>): number | null =>
  kind === 'channel' ? null : 0;

/** A message is its own entry; one of kind system is the entry of the change that it tells. */
function presentWritten(logged: Logged, row: MessageRow, people: People): ConversationEvent {
  const message = presentMessage(row);
  if (message.system) return presentChange(logged, message.system, message, people);
  return { ...logged, type: 'message.created', data: { message, thread: threadOf(row) } };
}

/** How far the thread has come that a reply stands in. */
const threadOf = ({ threadId, thread }: MessageRow) => (threadId === null ? null : thread);

/** A change of a message, told as the message is now. */
function presentTouched(logged: Logged, row: LogRow, message: MessageRow): ConversationEvent {
  const { id: messageId, seq, threadId } = message;
  switch (row.type) {
    case 'message.edited': {
      const editedAt = (message.editedAt ?? row.at).toISOString();
      return {
        ...logged,
        type: row.type,
        data: { messageId, seq, text: message.text, mentions: message.mentions ?? [], editedAt },
      };
    }
    case 'message.deleted': {
      const deletedAt = (message.deletedAt ?? row.at).toISOString();
      return { ...logged, type: row.type, data: { messageId, seq, deletedAt, threadId, thread: threadOf(message) } };
    }
    case 'reaction.added':
    case 'reaction.removed':
      return { ...logged, type: row.type, data: { messageId, seq, ...(row.data as Stored['reaction']) } };
    default:
      throw new Error(`the log holds an entry of an unknown type: ${row.type}`);
  }
}
