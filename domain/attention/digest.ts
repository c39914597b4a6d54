import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { ArmedRow } from '../../db/queries/armed.ts';
import { nextDigest } from './digest-time.ts';
import { peaceOf, usefulUntil } from './peace.ts';
import { merged, outOf } from './quiet-hours.ts';
import type { Reason, Situation, StepResult } from './situation.ts';
import { comesThrough, isTold } from './urgency.ts';

/**
 * Whether mail about a conversation waits to be gathered with the others'. An urgent message that the person lets through
 * quiet hours does not: it has a mail of its own by the ladder's clock.
 */
export const isGathered = (
  { urgents, kind, email }: Pick<ArmedRow, 'urgents' | 'kind' | 'email'>,
  settings: NotificationSettings,
): boolean =>
  (settings.emailFrequency === 'hourly' || settings.emailFrequency === 'daily') &&
  // Once a mail has told it, what comes after it is gathered again.
  !(urgents.some(({ seq }) => !isTold(email, seq)) && comesThrough(kind, settings));

/**
 * When the oldest message came that the mail or text has not told and that may have one of its own: of a channel of which a
 * person wants everything, push and gathered mail alone tell what does not call for them themselves.
 */
export const ownSince = (
  channel: 'email' | 'sms',
  { kind, [channel]: { since, calledSince } }: ArmedRow,
): Date | null => (kind === 'channel' ? (calledSince ?? null) : since);

/**
 * The mail step of somebody who has it gathered: due at the first digest after the oldest message that no mail has told.
 * People who share a morning are released one after another.
 */
export function digestStep(row: ArmedRow, situation: Situation): StepResult {
  const { now, ladder, zone, settings, place } = situation;
  const { since, throughSeq } = row.email;
  if (since === null) return { outcome: 'skipped', reason: throughSeq > 0 ? 'covered_by_digest' : 'all_content_gone' };
  const due = nextDigest(settings, zone, since.getTime()) + place * ladder.digestJitterMs;
  const { at, why } = afterAll(Math.max(due, now.getTime()), situation);
  if (at > usefulUntil('email', row.lastAt, ladder.emailUntilMs, situation))
    return { outcome: 'skipped', reason: 'expired' };
  if (at <= now.getTime()) return { outcome: 'send', reason: 'due' };
  return { outcome: 'deferred', reason: at > due ? why : 'next_digest', until: new Date(at) };
}

/** The mail step while a weekly summary is due: now, about everything that waits. */
export function summaryStep(situation: Situation): StepResult {
  const now = situation.now.getTime();
  const { at, why } = afterAll(now, situation);
  if (at <= now) return { outcome: 'send', reason: 'weekly_summary' };
  return { outcome: 'deferred', reason: why, until: new Date(at) };
}

/** When the person has room for one more mail and wants to be left alone no longer, and which of the two is waited for. */
function afterAll(due: number, situation: Situation): { at: number; why: Reason } {
  const cap = situation.capped.email;
  const free = Math.max(due, cap?.until.getTime() ?? 0);
  const at = outOf(merged(peaceOf('email', situation)), free);
  return { at, why: cap && free > due && at === free ? cap.reason : 'quiet_hours' };
}
