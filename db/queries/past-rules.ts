import type { Queryable, Tx } from '../client.ts';
import type { StoredRange } from './arming.ts';
import { rememberedDays } from './retention.ts';

/**
 * A part of the statement that changes a rule of somebody: keeps what it was as `past`, and forgets what is too old.
 * `old` selects `user_id`, `subject`, `since` and `was` of what is about to change, and nothing where nothing does. Two
 * changes of one transaction are one.
 */
export const keepingPast = (kind: 'membership' | 'settings' | 'block' | 'thread', old: string): string => `
  old as (${old}), past as (
    insert into past_rules (user_id, kind, subject, since, until, was)
    select user_id, '${kind}', subject, since, now(), was from old on conflict do nothing
  ), forgotten as (
    delete from past_rules p using old where p.user_id = old.user_id and p.until < now() - interval '${rememberedDays} days'
  )`;

/** What a membership is to be remembered by, as columns for `keepingPast`. */
export const pastMembership = `user_id, conversation_id::text as subject, null::timestamptz as since,
  jsonb_build_object('level', level, 'mutedUntil', muted_until, 'muteExcept', mute_except, 'joinedSeq', joined_seq,
    'joinedAt', joined_at, 'leftAt', left_at) as was`;

/** What it was at an instant: the oldest of what was changed after it, if anything was. */
const pastOf = (kind: string, userId: string, subject: string, at: string) => `left join lateral (
    select p.was, true as found from past_rules p where p.user_id = ${userId} and p.kind = '${kind}' and p.subject = ${subject}
      and p.until > ${at} order by p.until limit 1) past on true`;
const then = (column: string, key: string, type: string) =>
  `case when past.found then (past.was->>'${key}')::${type} else ${column} end`;

/** Messages as they were, without what chooses them. */
const messagesAt = (at: string) => `
    select r.conversation_id, r.seq, r.id, r.sender_id, r.kind, r.created_at, r.deleted_at, r.thread_seq, r.priority,
      case when r.called_at <= ${at} then r.called_at end as called_at,
      case when r.edited_at > ${at} then (
        select e.mentions from message_edits e where e.conversation_id = r.conversation_id and e.seq = r.seq
          and e.written_at <= greatest(${at}, r.created_at) order by e.nth desc limit 1)
      else r.mentions end as mentions
    from messages r`;

/** Tables as they were at an instant, by the parameters of a statement; columns that nobody asks for are left out. */
export const asOf = (at: string) => ({
  message: (id: string) => `(${messagesAt(at)} where r.id = ${id})`,
  /** Those of a range, read by it: one by one they would take five times as long. */
  messagesBetween: (conversationId: string, from: string, to: string) => `(${messagesAt(at)}
    where r.conversation_id = ${conversationId} and r.seq between ${from} and ${to} order by r.seq desc offset 0)`,
  membership: (conversationId: string, userId: string) => `(
    select x.conversation_id, x.user_id, x.seen_seq, ${then('x.level', 'level', 'text')} as level,
      ${then('x.muted_until', 'mutedUntil', 'timestamptz')} as muted_until,
      ${then('x.mute_except', 'muteExcept', 'text')} as mute_except,
      ${then('x.joined_seq', 'joinedSeq', 'bigint')} as joined_seq,
      ${then('x.joined_at', 'joinedAt', 'timestamptz')} as joined_at,
      ${then('x.left_at', 'leftAt', 'timestamptz')} as left_at
    from members x ${pastOf('membership', 'x.user_id', 'x.conversation_id::text', at)}
    where x.conversation_id = ${conversationId} and x.user_id = ${userId})`,
  settings: (userId: string) => `(
    select case when past.found then past.was else x.settings end as settings
    from (values (1)) one left join notification_settings x on x.user_id = ${userId}
    ${pastOf('settings', userId, "''", at)})`,
  blocks: `(
    select user_id, blocked_id from blocks where at <= ${at}
    union all select user_id, subject::uuid from past_rules where kind = 'block' and since <= ${at} and until > ${at})`,
  threadMembers: `(
    select x.conversation_id, x.root_seq, x.user_id, x.read_seq, ${then('x.following', 'following', 'boolean')} as following,
      ${then('x.level', 'level', 'text')} as level
    from thread_members x ${pastOf('thread', 'x.user_id', "x.conversation_id || '/' || x.root_seq", at)})`,
});

/** Rules were looked at long after these messages were stored, or anew. */
export async function recordLateLooks(tx: Tx, ranges: readonly StoredRange[]): Promise<void> {
  await tx.query({
    name: 'record-late-looks',
    text: `
      with forgotten as (
        delete from late_looks where conversation_id = any($1::uuid[]) and at < now() - interval '${rememberedDays} days'
      )
      insert into late_looks (conversation_id, seq_from, seq_to) select * from unnest($1::uuid[], $2::bigint[], $3::bigint[])
      on conflict do nothing`,
    values: [
      ranges.map(({ conversationId }) => conversationId),
      ranges.map(({ seqFrom }) => seqFrom),
      ranges.map(({ seqTo }) => seqTo),
    ],
  });
}

/** When the rules about a message were looked at, as far as that is known; `owed`: they have not been yet. */
interface RuleLook {
  createdAt: Date;
  lookedAt: Date | null;
  owed: boolean;
}

export async function ruleLookOf(db: Queryable, messageId: string): Promise<RuleLook | undefined> {
  const { rows } = await db.query<RuleLook>({
    name: 'rule-look-of',
    text: `
      select g.created_at as "createdAt",
        (select max(l.at) from late_looks l where l.conversation_id = g.conversation_id
          and l.seq_from <= g.seq and l.seq_to >= g.seq) as "lookedAt",
        exists (select from outbox o where o.topic in ('messages.stored', 'messages.stored.to_many') and o.conversation_id = g.conversation_id
          and g.seq between o.seq_from and o.seq_to) as owed
      from messages g where g.id = $1`,
    values: [messageId],
  });
  return rows[0];
}
