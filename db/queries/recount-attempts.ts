import type { UserId } from '../../contracts/ids.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Queryable } from '../client.ts';

/** Attempts in the order of their ids, which is that of time: after one, and before another (both exclusive). */
export async function attemptsBetweenIds(
  db: Queryable,
  { after, before, limit }: { after: string; before: string; limit: number },
): Promise<{ id: string; userId: UserId }[]> {
  const { rows } = await db.query<{ id: string; userId: UserId }>({
    name: 'attempts-between-ids',
    text: 'select id, user_id as "userId" from attempts where id > $1 and id < $2 order by id limit $3',
    values: [after, before, limit],
  });
  return rows;
}

/** An attempt with what shows whether it was right. */
export interface RecountedAttempt {
  id: string;
  userId: UserId;
  episode: number;
  channel: Channel;
  /** Nothing is known of it although its episode has ended. */
  open: boolean;
  /** Something of what it covers was owed to the person, whatever they have asked for. */
  owed: boolean;
  /** An earlier attempt on the same channel had told of a message that it covers. */
  repeats: boolean;
}

/**
 * What is urgent may be told again, with all that came after it. Of a range that two attempts cover only messages count
 * that somebody else wrote. A message that was deleted, and a membership that ended, after it was decided were owed at the
 * time; what was dropped told nobody. What an edit has made call for somebody may be told once more, by itself, after a
 * range that it lay in.
 */
export async function recountAttempts(
  db: Queryable,
  attempts: readonly { id: string; userId: UserId; since: string; decidedAt: Date }[],
): Promise<RecountedAttempt[]> {
  const { rows } = await db.query<RecountedAttempt>({
    name: 'recount-attempts',
    text: `
      select t.id, t.user_id as "userId", t.episode, t.channel, t.state = 'claimed' and e.closed_at is not null as open,
        t.state = 'dropped' or exists (
          select from jsonb_to_recordset(t.covers) as k("conversationId" uuid, "fromSeq" bigint, "toSeq" bigint)
          join members m on m.conversation_id = k."conversationId" and m.user_id = t.user_id
          join messages g on g.conversation_id = k."conversationId" and g.seq between k."fromSeq" and k."toSeq"
          where g.kind = 'text' and g.sender_id <> t.user_id and (g.seq > m.joined_seq or m.joined_at > i.decided_at)
            and (g.deleted_at is null or g.deleted_at >= i.decided_at)
            and not exists (select from blocks b
              where b.user_id = t.user_id and b.blocked_id = g.sender_id and b.at < g.created_at)
        ) as owed,
        not t.urgent and exists (
          select from attempts o,
            jsonb_to_recordset(o.covers) as l("conversationId" uuid, "fromSeq" bigint, "toSeq" bigint),
            jsonb_to_recordset(t.covers) as k("conversationId" uuid, "fromSeq" bigint, "toSeq" bigint), messages g
          where o.user_id = t.user_id and o.channel = t.channel and o.state <> 'dropped' and o.id >= i.since and o.id < t.id
            and l."conversationId" = k."conversationId" and g.conversation_id = k."conversationId"
            and g.seq between greatest(k."fromSeq", l."fromSeq") and least(k."toSeq", l."toSeq")
            and g.kind = 'text' and g.sender_id <> t.user_id and g.priority <> 'urgent'
            and (g.called_at is null or k."fromSeq" < k."toSeq" or l."fromSeq" = l."toSeq")
        ) as repeats
      from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) as i(id, user_id, since, decided_at)
      join attempts t on t.user_id = i.user_id and t.id = i.id
      left join episodes e on e.user_id = t.user_id and e.episode = t.episode`,
    values: [
      attempts.map(({ id }) => id),
      attempts.map(({ userId }) => userId),
      attempts.map(({ since }) => since),
      attempts.map(({ decidedAt }) => decidedAt),
    ],
  });
  return rows;
}
