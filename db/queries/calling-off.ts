import type { Reason } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import { messagesBetween, notifiable } from './notifiable.ts';

/** Something unread of a person that may not call for their attention any more. */
export interface ArmedPlace {
  userId: UserId;
  conversationId: ConversationId;
}

/** Everything that calls for these people's attention, or what of it stands in one conversation. */
export async function armedOf(
  db: Queryable,
  userIds: readonly UserId[],
  conversationId: ConversationId | null,
): Promise<ArmedPlace[]> {
  const { rows } = await db.query<ArmedPlace>({
    name: 'armed-of',
    text: `select user_id as "userId", conversation_id as "conversationId" from armed
      where user_id = any($1::uuid[]) and ($2::uuid is null or conversation_id = $2)`,
    values: [userIds, conversationId],
  });
  return rows;
}

/** A page of the people whom something between these numbers calls, by their ids, after one (exclusive). */
export async function calledBetween(
  db: Queryable,
  { conversationId, seqFrom, seqTo }: { conversationId: ConversationId; seqFrom: number; seqTo: number },
  { after, limit }: { after: UserId | null; limit: number },
): Promise<ArmedPlace[]> {
  const { rows } = await db.query<ArmedPlace>({
    name: 'called-between',
    text: `
      select a.user_id as "userId", a.conversation_id as "conversationId"
      from members m join armed a on a.user_id = m.user_id and a.conversation_id = m.conversation_id
      where m.conversation_id = $1 and a.last_seq >= $2 and a.from_seq <= $3
        and m.user_id > coalesce($4, '00000000-0000-0000-0000-000000000000'::uuid)
      order by m.user_id limit $5`,
    values: [conversationId, seqFrom, seqTo, after, limit],
  });
  return rows;
}

/** Locks these people's attention in the order of their ids; what is asked afterwards sees all that was armed before. */
export async function lockAttentions(tx: Tx, userIds: readonly UserId[]): Promise<void> {
  await tx.query({
    name: 'lock-attentions',
    text: 'select from attention where user_id = any($1::uuid[]) order by user_id for update',
    values: [userIds],
  });
}

/**
 * Takes out of what is armed whatever calls for nobody's attention any more, by whichever rule, and has these people's
 * episodes look again at once. Each is written down as a decision for that reason. What was read is left to its workflow.
 */
export async function callOffUnwanted(
  tx: Tx,
  places: readonly ArmedPlace[],
  { reason, at }: { reason: Reason; at: Date },
): Promise<void> {
  await tx.query({
    name: 'call-off-unwanted',
    text: `
      with unwanted as (
        select a.user_id, a.conversation_id, t.episode
        from unnest($1::uuid[], $2::uuid[]) as i(user_id, conversation_id)
        join armed a on a.user_id = i.user_id and a.conversation_id = i.conversation_id
        join attention t on t.user_id = a.user_id and t.state <> 'quiet'
        left join members m on m.conversation_id = a.conversation_id and m.user_id = a.user_id
        where (m.user_id is null or m.seen_seq < a.last_seq) and not exists (
          select from members m
          join conversations c on c.id = m.conversation_id
          join users u on u.id = m.user_id and u.status = 'active'
          left join notification_settings n on n.user_id = m.user_id
          cross join lateral ${messagesBetween('m.conversation_id', 'greatest(a.from_seq, m.seen_seq + 1)', 'a.last_seq')}
          where m.conversation_id = a.conversation_id and m.user_id = a.user_id and m.left_at is null and ${notifiable})
      ), gone as (
        delete from armed a using unwanted u where a.user_id = u.user_id and a.conversation_id = u.conversation_id
      ), told as (
        insert into decisions (user_id, id, episode, at, step, outcome, reason, evaluation, workflow_id, run_id, conversation_id)
        select user_id, gen_random_uuid(), episode, $4::timestamptz, 'conversation', 'cancelled', $3::text, '[]', '', '',
          conversation_id
        from unwanted
      )
      update attention t set called_off_for = $3,
        start_at = case when t.state = 'held' then least(t.start_at, now()) else t.start_at end,
        nudge_at = case when t.state = 'running' then least(t.nudge_at, now()) else t.nudge_at end
      from (select distinct user_id from unwanted) u where t.user_id = u.user_id`,
    values: [places.map(({ userId }) => userId), places.map(({ conversationId }) => conversationId), reason, at],
  });
}
