import type { Mention } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import type { ReadScope } from '../read-scope.ts';

interface Place {
  conversationId: ConversationId;
  seq: number;
}

export interface RevisionRow {
  text: string;
  mentions: Mention[] | null;
  writtenAt: Date;
}

/** What the message said before each edit, oldest first. */
export async function revisionsOf(db: Queryable, { conversationId }: ReadScope, seq: number): Promise<RevisionRow[]> {
  const { rows } = await db.query<RevisionRow>({
    name: 'revisions-of',
    text: `select text, mentions, written_at as "writtenAt" from message_edits
      where conversation_id = $1 and seq = $2 and nth > 0 order by nth`,
    values: [conversationId, seq],
  });
  return rows;
}

/** The fingerprint of an edit that was made before under this clientId. */
export async function editOf(tx: Tx, { conversationId, seq }: Place, clientId: string): Promise<Buffer | undefined> {
  const { rows } = await tx.query<{ fingerprint: Buffer }>({
    name: 'edit-of',
    text: `select fingerprint from message_edits where conversation_id = $1 and seq = $2 and client_id = $3`,
    values: [conversationId, seq, clientId],
  });
  return rows[0]?.fingerprint;
}

/**
 * Remembers an edit that changed nothing by its clientId. It counts as one of the message's edits, and with a negative number
 * it is no version of it.
 */
export async function rememberEdit(
  tx: Tx,
  { conversationId, seq }: Place,
  { clientId, fingerprint }: { clientId: string; fingerprint: Buffer },
): Promise<void> {
  await tx.query({
    name: 'remember-edit',
    text: `
      with kept as (
        insert into message_edits (conversation_id, seq, nth, client_id, fingerprint, text, mentions, written_at)
        select conversation_id, seq, -(edits + 1), $3, $4, text, mentions, now() from messages
        where conversation_id = $1 and seq = $2
      )
      update messages set edits = edits + 1 where conversation_id = $1 and seq = $2`,
    values: [conversationId, seq, clientId, fingerprint],
  });
}

/**
 * Keeps what the message says as a revision and writes the new text; `version` is the change's own. Whom it names in a
 * thread follows that from now on, as by a send, unless they have blocked who wrote it; what stood there before the message,
 * or before they came, is not unread to them.
 */
export async function rewriteMessage(
  tx: Tx,
  { conversationId, seq }: Place,
  edit: {
    version: number;
    clientId: string;
    fingerprint: Buffer;
    text: string;
    mentions: Mention[] | null;
    /** It mentions somebody whom the message did not mention before. */
    calls: boolean;
  },
): Promise<void> {
  await tx.query({
    name: 'rewrite-message',
    text: `
      with kept as (
        insert into message_edits (conversation_id, seq, nth, client_id, fingerprint, text, mentions, written_at)
        select conversation_id, seq, edits + 1, $4, $5, text, mentions, coalesce(edited_at, created_at)
        from messages where conversation_id = $1 and seq = $2
      ), followed as (
        insert into thread_members as t (conversation_id, root_seq, user_id, following, read_seq)
        select distinct m.conversation_id, m.thread_seq, p.user_id, true, greatest(m.seq - 1, least(p.came_seq, h.last_seq))
        from messages m cross join lateral jsonb_array_elements($7::jsonb) e
        join threads h on h.conversation_id = m.conversation_id and h.root_seq = m.thread_seq
        join members p on p.conversation_id = m.conversation_id and p.user_id = (e->>'userId')::uuid
        where m.conversation_id = $1 and m.seq = $2 and m.thread_seq is not null and e->>'type' = 'user'
          and not exists (select from blocks b where b.user_id = (e->>'userId')::uuid and b.blocked_id = m.sender_id)
        on conflict (conversation_id, root_seq, user_id) do update
        set following = true, read_seq = greatest(t.read_seq, excluded.read_seq) where t.following is null
      )
      update messages set text = $6, mentions = $7, edits = edits + 1, edited_at = now(), changed_version = $3,
        called_at = case when $8 then now() else called_at end
      where conversation_id = $1 and seq = $2`,
    values: [
      conversationId,
      seq,
      edit.version,
      edit.clientId,
      edit.fingerprint,
      edit.text,
      edit.mentions === null ? null : JSON.stringify(edit.mentions),
      edit.calls,
    ],
  });
}

/**
 * Leaves a tombstone: the place, sender and times stay; text, mentions, origin, fingerprint, earlier versions, reactions
 * and the pin are gone.
 */
export async function eraseMessage(tx: Tx, { conversationId, seq }: Place, version: number): Promise<void> {
  await tx.query({
    name: 'erase-message',
    text: `
      with edits as (delete from message_edits where conversation_id = $1 and seq = $2),
        gone as (delete from reactions where conversation_id = $1 and seq = $2)
      update messages set text = null, mentions = null, forwarded_from = null, fingerprint = '', deleted_at = now(),
        pinned_at = null, changed_version = $3
      where conversation_id = $1 and seq = $2`,
    values: [conversationId, seq, version],
  });
}

/** The message was touched by the change of that version. */
export async function touchMessage(tx: Tx, { conversationId, seq }: Place, version: number): Promise<void> {
  await tx.query({
    name: 'touch-message',
    text: 'update messages set changed_version = $3 where conversation_id = $1 and seq = $2',
    values: [conversationId, seq, version],
  });
}

export async function setPin(
  tx: Tx,
  { conversationId, seq }: Place,
  { pinned, version }: { pinned: boolean; version: number },
): Promise<void> {
  await tx.query({
    name: 'set-pin',
    text: `update messages set pinned_at = case when $4 then now() end, changed_version = $3 where conversation_id = $1 and seq = $2`,
    values: [conversationId, seq, version, pinned],
  });
}

export async function countPins(tx: Tx, conversationId: ConversationId): Promise<number> {
  const { rows } = await tx.query<{ pins: number }>({
    name: 'count-pins',
    text: 'select count(*) as pins from messages where conversation_id = $1 and pinned_at is not null',
    values: [conversationId],
  });
  return rows[0]?.pins ?? 0;
}

/** Stores a reaction; false where it stood there already. */
export async function insertReaction(
  tx: Tx,
  { conversationId, seq }: Place,
  emoji: string,
  userId: UserId,
): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'insert-reaction',
    text: `insert into reactions (conversation_id, seq, emoji, user_id, at) values ($1, $2, $3, $4, now()) on conflict do nothing`,
    values: [conversationId, seq, emoji, userId],
  });
  return rowCount === 1;
}

export async function deleteReaction(
  tx: Tx,
  { conversationId, seq }: Place,
  emoji: string,
  userId: UserId,
): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'delete-reaction',
    text: 'delete from reactions where conversation_id = $1 and seq = $2 and emoji = $3 and user_id = $4',
    values: [conversationId, seq, emoji, userId],
  });
  return rowCount === 1;
}

/** How many there are of one emoji, and how many kinds in all. */
export async function countReactions(
  tx: Tx,
  { conversationId, seq }: Place,
  emoji: string,
): Promise<{ count: number; kinds: number }> {
  const { rows } = await tx.query<{ count: number; kinds: number }>({
    name: 'count-reactions',
    text: `select count(*) filter (where emoji = $3) as count, count(distinct emoji) as kinds
      from reactions where conversation_id = $1 and seq = $2`,
    values: [conversationId, seq, emoji],
  });
  return rows[0] ?? { count: 0, kinds: 0 };
}

/** A page of who has reacted, by emoji and user id, after a place (exclusive). */
export async function reactionsPage(
  db: Queryable,
  { conversationId }: ReadScope,
  seq: number,
  { after, limit }: { after?: { emoji: string; userId: string } | undefined; limit: number },
): Promise<{ emoji: string; userId: UserId; at: Date }[]> {
  const { rows } = await db.query<{ emoji: string; userId: UserId; at: Date }>({
    name: 'reactions-page',
    text: `select emoji, user_id as "userId", at from reactions
      where conversation_id = $1 and seq = $2 and (emoji collate "C", user_id) > ($3::text collate "C", $4::uuid)
      order by emoji collate "C", user_id limit $5`,
    values: [conversationId, seq, after?.emoji ?? '', after?.userId ?? '00000000-0000-0000-0000-000000000000', limit],
  });
  return rows;
}

/** Members among these people, each with what they may not read; mentions of an edit are checked against it. */
export async function membersAmong(
  tx: Tx,
  conversationId: ConversationId,
  userIds: readonly UserId[],
): Promise<Map<UserId, { joinedSeq: number }>> {
  const { rows } = await tx.query<{ userId: UserId; joinedSeq: number }>({
    name: 'members-among',
    text: `select user_id as "userId", joined_seq as "joinedSeq" from members
      where conversation_id = $1 and user_id = any($2::uuid[]) and left_at is null`,
    values: [conversationId, userIds],
  });
  return new Map(rows.map(({ userId, joinedSeq }) => [userId, { joinedSeq }]));
}
