import type { UserId } from '../../contracts/ids.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Db } from '../client.ts';

/** As the partial index has it: an attempt of which something may yet be heard. */
const unsettled = `(t.state = 'claimed'
  or (t.state = 'accepted' and t.channel <> 'push' and coalesce(t.reported, 'accepted') = 'accepted'))`;

export interface UnsettledText {
  userId: UserId;
  id: string;
  providerId: string | null;
}

/**
 * Texts that Twilio took before an instant and told no end of. Who is given one asks; nobody else does for a while, and if
 * the answer does not come, it is asked again after it.
 */
export async function leaseUnsettledTexts(
  db: Db,
  { before, now, againMs, limit }: { before: Date; now: Date; againMs: number; limit: number },
): Promise<UnsettledText[]> {
  const { rows } = await db.write<UnsettledText>({
    name: 'lease-unsettled-texts',
    text: `
      with due as (
        select t.user_id, t.id from attempts t
        where ${unsettled} and t.state = 'accepted' and t.channel = 'sms' and t.claimed_at < $1
          and (t.asked_at is null or t.asked_at < $2::timestamptz - $3 * interval '1 millisecond')
        order by t.claimed_at limit $4 for update skip locked
      )
      update attempts t set asked_at = $2 from due d where t.user_id = d.user_id and t.id = d.id
      returning t.user_id as "userId", t.id, t.provider_id as "providerId"`,
    values: [before, now, againMs, limit],
  });
  return rows;
}

/** Nothing more will be heard of this one. What was told meanwhile stays. */
export async function markUnknownForGood(db: Db, { userId, id }: UnsettledText, at: Date): Promise<void> {
  await db.write({
    name: 'mark-attempt-unknown-for-good',
    text: `
      with settled as (
        update attempts t set reported = 'unknown_final' where user_id = $1 and id = $2 and ${unsettled} and state = 'accepted'
        returning user_id, id
      )
      insert into attempt_events (user_id, attempt_id, key, source, kind, at)
      select user_id, id, 'homing:unknown_final', 'homing', 'unknown_final', $3 from settled on conflict do nothing`,
    values: [userId, id, at],
  });
}

/** The same of all mails that were taken before an instant: SendGrid cannot be asked. Answers with how many. */
export async function markMailsUnknownForGood(
  db: Db,
  { before, at, limit }: { before: Date; at: Date; limit: number },
): Promise<number> {
  const { rowCount } = await db.write({
    name: 'mark-mails-unknown-for-good',
    text: `
      with due as (
        select t.user_id, t.id from attempts t
        where ${unsettled} and t.state = 'accepted' and t.channel = 'email' and t.claimed_at < $1
        order by t.claimed_at limit $3 for update skip locked
      ), settled as (
        update attempts t set reported = 'unknown_final' from due d where t.user_id = d.user_id and t.id = d.id
        returning t.user_id, t.id
      )
      insert into attempt_events (user_id, attempt_id, key, source, kind, at)
      select user_id, id, 'homing:unknown_final', 'homing', 'unknown_final', $2 from settled on conflict do nothing`,
    values: [before, at, limit],
  });
  return rowCount ?? 0;
}

/**
 * Attempts whose episode ended before an instant while they were being tried: nobody tries them any more. What was never
 * called was not sent; of what was called nobody knows.
 */
export async function closeLeftAttempts(
  db: Db,
  { before, at, limit }: { before: Date; at: Date; limit: number },
): Promise<{ channel: Channel; state: string }[]> {
  const { rows } = await db.write<{ channel: Channel; state: string }>({
    name: 'close-left-attempts',
    text: `
      with due as (
        select t.user_id, t.id from attempts t join episodes e on e.user_id = t.user_id and e.episode = t.episode
        where ${unsettled} and t.state = 'claimed' and t.claimed_at < $1 and e.closed_at < $1
        order by t.claimed_at limit $3 for update of t skip locked
      )
      update attempts t set state = case when t.called_at is null then 'dropped' else 'unknown' end, finished_at = $2
      from due d where t.user_id = d.user_id and t.id = d.id returning t.channel, t.state`,
    values: [before, at, limit],
  });
  return rows;
}
