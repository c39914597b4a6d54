import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Db, Queryable, Tx } from '../client.ts';

/** Where the recount and the ledger do not agree, and of what. */
export interface Difference {
  kind: string;
  userId: UserId;
  conversationId: ConversationId | null;
  seq: number | null;
  episode: number | null;
  attemptId: string | null;
}
export type KeptDifference = Difference & { id: number; foundAt: Date };

const columns = `id, kind, user_id as "userId", conversation_id as "conversationId", seq, episode, attempt_id as "attemptId",
  found_at as "foundAt"`;

/** Keeps what was not known yet; answers with that. */
export async function insertDifferences(tx: Tx, differences: readonly Difference[]): Promise<KeptDifference[]> {
  if (differences.length === 0) return [];
  const { rows } = await tx.query<KeptDifference>({
    name: 'insert-differences',
    text: `
      insert into differences (kind, user_id, conversation_id, seq, episode, attempt_id)
      select * from unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::uuid[])
      on conflict do nothing returning ${columns}`,
    values: [
      differences.map(({ kind }) => kind),
      differences.map(({ userId }) => userId),
      differences.map(({ conversationId }) => conversationId),
      differences.map(({ seq }) => seq),
      differences.map(({ episode }) => episode),
      differences.map(({ attemptId }) => attemptId),
    ],
  });
  return rows;
}

export async function deleteDifferences(tx: Tx, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query({
    name: 'delete-differences',
    text: 'delete from differences where id = any($1::bigint[])',
    values: [ids],
  });
}

/** In the order in which they were found, after an id (exclusive). */
export async function differencesAfter(
  db: Queryable,
  { after, limit }: { after: number; limit: number },
): Promise<KeptDifference[]> {
  const { rows } = await db.query<KeptDifference>({
    name: 'differences-after',
    text: `select ${columns} from differences where id > $1 order by id limit $2`,
    values: [after, limit],
  });
  return rows;
}

export async function countDifferences(db: Queryable): Promise<{ kind: string; count: number }[]> {
  const { rows } = await db.query<{ kind: string; count: number }>({
    name: 'count-differences',
    text: 'select kind, count(*) as count from differences group by kind order by kind',
    values: [],
  });
  return rows;
}

/** How far a walk has come: the place in its own order, and the instant up to which everything was looked at. */
export interface WalkPlace {
  name: string;
  cursor: string;
  through: Date;
}

/** When the records began that the recount rests on. */
export async function recountBegan(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ through: Date }>({
    name: 'recount-began',
    text: `select through from recount_walks where name = 'began'`,
    values: [],
  });
  return (rows[0] as { through: Date }).through;
}

/** Sets a walk out where it has never been under way. */
export async function beginWalk(db: Db, { name, cursor, through }: WalkPlace): Promise<void> {
  await db.write({
    name: 'begin-walk',
    text: 'insert into recount_walks (name, cursor, through) values ($1, $2, $3) on conflict do nothing',
    values: [name, cursor, through],
  });
}

/** Takes a walk on a lease, so that of any number of relays one goes on with it; nothing where another has it. */
export async function leaseWalk(db: Db, name: string, leaseMs: number): Promise<WalkPlace | undefined> {
  const { rows } = await db.write<WalkPlace>({
    name: 'lease-walk',
    text: `update recount_walks set leased_until = now() + $2 * interval '1 millisecond'
      where name = $1 and leased_until <= now() returning name, cursor, through`,
    values: [name, leaseMs],
  });
  return rows[0];
}

/** Moves a walk on and gives it back. False where the lease ran out and another relay has moved it meanwhile. */
export async function moveWalk(tx: Tx, from: WalkPlace, to: Pick<WalkPlace, 'cursor' | 'through'>): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'move-walk',
    text: 'update recount_walks set cursor = $3, through = $4, leased_until = now() where name = $1 and cursor = $2',
    values: [from.name, from.cursor, to.cursor, to.through],
  });
  return rowCount === 1;
}

export async function walkPlaces(db: Queryable): Promise<WalkPlace[]> {
  const { rows } = await db.query<WalkPlace>({
    name: 'walk-places',
    text: `select name, cursor, through from recount_walks where name <> 'began' order by name`,
    values: [],
  });
  return rows;
}

/** Forgets what was taken out of what is armed so long ago that no walk comes there any more. */
export async function forgetDisarmed(db: Db, olderThanMs: number, limit: number): Promise<void> {
  await db.write({
    name: 'forget-disarmed',
    text: `
      with old as (
        select user_id, id from disarmed where at < now() - $1 * interval '1 millisecond' order by at limit $2
      )
      delete from disarmed d using old o where d.user_id = o.user_id and d.id = o.id`,
    values: [olderThanMs, limit],
  });
}

/**
 * Puts the messages that somebody was not armed for into the outbox again, those that an edit made call with each of their
 * edits, as of when that was: for whom one calls is found out anew, and who was told of it since is not told twice. Answers
 * with how many messages.
 */
export async function rearmForgotten(tx: Tx): Promise<number> {
  const { rows } = await tx.query<{ messages: number }>({
    name: 'rearm-forgotten',
    text: `
      with forgotten as (
        select distinct conversation_id, seq from differences
        where kind in ('not_armed', 'wrong_outcome') and conversation_id is not null and seq is not null
      ), owed as (
        insert into outbox (topic, conversation_id, seq_from, seq_to, payload)
        select 'messages.stored', f.conversation_id, f.seq, f.seq, e.payload from forgotten f
        left join lateral (
          select jsonb_build_object('replaced', v.nth,
            'at', coalesce(lead(v.written_at) over (order by v.nth), g.edited_at)) as payload
          from messages g join message_edits v on v.conversation_id = g.conversation_id and v.seq = g.seq and v.nth > 0
          where g.conversation_id = f.conversation_id and g.seq = f.seq and g.called_at is not null
        ) e on true
      )
      select count(*) as messages from forgotten`,
    values: [],
  });
  return rows[0]?.messages ?? 0;
}
