import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import type { StoredRange } from './arming.ts';
import { messagesBetween } from './notifiable.ts';

/** A message that calls whoever is here. */
export interface HereCall {
  conversationId: ConversationId;
  seq: number;
  senderId: UserId;
}

/** Those of these ranges of which it was not recorded yet who was there. */
export async function openCalls(tx: Tx, ranges: readonly StoredRange[]): Promise<HereCall[]> {
  const { rows } = await tx.query<HereCall>({
    name: 'open-calls',
    text: `
      select g.conversation_id as "conversationId", g.seq, g.sender_id as "senderId"
      from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as i(conversation_id, seq_from, seq_to)
      cross join lateral ${messagesBetween('i.conversation_id', 'i.seq_from', 'i.seq_to')}
      where g.mentions @> '[{"type": "here"}]' and not exists (
        select from here_calls h where h.conversation_id = g.conversation_id and h.seq = g.seq and h.user_id = g.sender_id)`,
    values: [
      ranges.map(({ conversationId }) => conversationId),
      ranges.map(({ seqFrom }) => seqFrom),
      ranges.map(({ seqTo }) => seqTo),
    ],
  });
  return rows;
}

/** The id of the n-th membership after one (exclusive), left ones counted; nothing where there are fewer. */
export async function memberIdAt(
  db: Queryable,
  conversationId: ConversationId,
  { after, n }: { after: UserId; n: number },
): Promise<UserId | undefined> {
  const { rows } = await db.query<{ userId: UserId }>({
    name: 'member-id-at',
    text: `select user_id as "userId" from members where conversation_id = $1 and user_id > $2::uuid
      order by user_id offset $3 - 1 limit 1`,
    values: [conversationId, after, n],
  });
  return rows[0]?.userId;
}

/** Ids of members, in their order, after one (exclusive). */
export async function memberIdsAfter(
  db: Queryable,
  conversationId: ConversationId,
  { after, limit }: { after: UserId | undefined; limit: number },
): Promise<UserId[]> {
  const { rows } = await db.query<{ userId: UserId }>({
    name: 'member-ids-after',
    text: `select user_id as "userId" from members
      where conversation_id = $1 and left_at is null and user_id > $2::uuid order by user_id limit $3`,
    values: [conversationId, after ?? '00000000-0000-0000-0000-000000000000', limit],
  });
  return rows.map(({ userId }) => userId);
}

/** These people are there; of earlier calls what was read is forgotten. */
export async function recordCall(
  db: Queryable,
  { conversationId, seq }: HereCall,
  userIds: readonly UserId[],
): Promise<void> {
  await db.query({
    name: 'record-call',
    text: `
      with forgotten as (
        delete from here_calls h using members m
        where h.conversation_id = $1 and h.seq < $2 and m.conversation_id = $1 and m.user_id = h.user_id and m.seen_seq >= h.seq
      )
      insert into here_calls (conversation_id, seq, user_id) select $1, $2, unnest($3::uuid[]) on conflict do nothing`,
    values: [conversationId, seq, userIds],
  });
}
