import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../client.ts';
import type { MemberPage } from './arming.ts';
import type { AttemptRow } from './attempts.ts';
import { mentioned, notifiable } from './notifiable.ts';
import { asOf } from './past-rules.ts';
import { callingAt } from './told.ts';

/** An edit that mentions somebody anew, by the how-manieth version of the message it replaced. */
export interface CallingEdit {
  conversationId: ConversationId;
  seq: number;
  replaced: number;
  at: Date;
}

/** Milliseconds that an edit takes to be committed: what was read so shortly after it may not have it. */
const commitMs = 1_000;
/** Milliseconds by which a worker's clock, which makes the ids of attempts, may be behind the database's. */
const behindMs = 300_000;
/** No attempt of what was stored at an instant has a lesser id (UUIDv7). */
const firstIdOf = (at: string) =>
  `(lpad(to_hex((extract(epoch from ${at}) * 1000)::bigint - ${behindMs}), 12, '0') || repeat('0', 20))::uuid`;

/** A version that was replaced, by its number, mentioned the person. */
const mentionedBy = (nth: string) => `exists (
  select from message_edits g where g.conversation_id = i.conversation_id and g.seq = i.seq and g.nth ${nth} and ${mentioned})`;

/** It called for the person as it was stored, by the rules of that moment. */
const then = asOf('l.created_at');
const calledAsStored = `exists (
  select from ${then.message('l.id')} g
  join lateral ${then.membership('l.conversation_id', 'l.user_id')} m on true
  left join lateral ${then.settings('l.user_id')} n on true
  where ${callingAt('l.created_at')})`;

/**
 * Keeps for which armed people these edits call below what a channel has told: its watermark would pass them over. Not where
 * that channel has told of the message when it called for them already, nor where the edit itself is told along: by an
 * attempt that has read what it tells since, by the database's clock, or that is still to read it.
 *
 * A statement of its own, after the one that arms: only this one sees what that one has waited for, such as a claim that
 * moved the watermark.
 */
export async function keepLateCalls(tx: Tx, edits: readonly CallingEdit[], page?: MemberPage): Promise<void> {
  await tx.query({
    name: 'keep-late-calls',
    text: `
      with late as (
        select a.user_id, a.conversation_id, w.channel, g.seq, g.id, g.created_at, i.at,
          ${mentionedBy('between 1 and i.replaced')} as mentioned_before
        from unnest($1::uuid[], $2::bigint[], $3::int[], $4::timestamptz[])
          as i(conversation_id, seq, replaced, at)
        join messages g on g.conversation_id = i.conversation_id and g.seq = i.seq
        join conversations c on c.id = i.conversation_id
        join members m on m.conversation_id = i.conversation_id and m.left_at is null
          and m.user_id > coalesce($5, '00000000-0000-0000-0000-000000000000'::uuid)
          and m.user_id <= coalesce($6, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
        left join notification_settings n on n.user_id = m.user_id
        join armed a on a.user_id = m.user_id and a.conversation_id = m.conversation_id and g.seq between a.from_seq and a.last_seq
        join watermarks w on w.user_id = m.user_id and w.conversation_id = m.conversation_id and w.through_seq >= g.seq
        where ${mentioned} and ${notifiable} and not ${mentionedBy('= i.replaced')}
      )
      insert into late_calls as k (user_id, conversation_id, channel, seq, at)
      select l.user_id, l.conversation_id, l.channel, l.seq, min(l.at)
      from late l join conversations c on c.id = l.conversation_id
      where not exists (
        select from attempts t
        join lateral jsonb_to_recordset(t.covers) as v("conversationId" uuid, "fromSeq" bigint, "toSeq" bigint)
          on v."conversationId" = l.conversation_id and l.seq between v."fromSeq" and v."toSeq"
        where t.user_id = l.user_id and t.id > ${firstIdOf('l.created_at')} and t.channel = l.channel and t.state <> 'dropped'
          and (l.mentioned_before or t.read_at > l.at + interval '${commitMs} milliseconds' or t.state = 'claimed' and t.called_at is null
            -- It told of nothing else: the rules may have been others when the message was armed than when it was stored.
            or v."fromSeq" = v."toSeq"
            or ${calledAsStored}))
      group by l.user_id, l.conversation_id, l.channel, l.seq
      -- It was taken back before anybody was told of it, and is there again.
      on conflict (user_id, conversation_id, channel, seq) do update set at = excluded.at, told_by = null
      where k.told_by is not null`,
    values: [
      edits.map(({ conversationId }) => conversationId),
      edits.map(({ seq }) => seq),
      edits.map(({ replaced }) => replaced),
      edits.map(({ at }) => at),
      page?.after ?? null,
      page?.through ?? null,
    ],
  });
}

/**
 * Messages among what an attempt covers that call for the person by an edit since it was claimed: they are for another
 * attempt to tell. By whose record it is, and not by what their text says by now.
 */
export async function toldByOthers(
  tx: Tx,
  userId: UserId,
  { id, channel, covers }: Pick<AttemptRow, 'id' | 'channel' | 'covers'>,
): Promise<{ conversationId: ConversationId; seq: number }[]> {
  const { rows } = await tx.query<{ conversationId: ConversationId; seq: number }>({
    name: 'told-by-others',
    text: `
      select l.conversation_id as "conversationId", l.seq from late_calls l
      where l.user_id = $1 and l.channel = $2 and l.told_by is distinct from $3 and exists (
        select from jsonb_to_recordset($4::jsonb) as v("conversationId" uuid, "fromSeq" bigint, "toSeq" bigint)
        where v."conversationId" = l.conversation_id and l.seq between v."fromSeq" and v."toSeq")
      order by l.seq`,
    values: [userId, channel, id, JSON.stringify(covers)],
  });
  return rows;
}
