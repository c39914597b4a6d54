import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { ArmedRow } from '../../db/queries/attempts.ts';
import { nextDigest } from './digest-time.ts';
import { comesThrough, peaceOf } from './peace.ts';
import { merged, outOf } from './quiet-hours.ts';
import type { Situation, StepResult } from './situation.ts';

/**
 * Whether mail about a conversation waits to be gathered with the others'. An urgent message that the person lets through
 * quiet hours does not: it has a mail of its own by the ladder's clock.
 */
export const isGathered = (
  row: Pick<ArmedRow, 'urgent' | 'kind'>,
  { emailFrequency, urgentThrough }: NotificationSettings,
): boolean => (emailFrequency === 'hourly' || emailFrequency === 'daily') && !comesThrough(row, urgentThrough);

/**
 * When the oldest message came that no mail has told and that may have a mail of its own: of a channel of which a person
 * wants everything, only gathered mail tells what does not call for them by name.
 */
export const mailSince = ({ kind, calledSince, email }: ArmedRow): Date | null =>
  kind === 'channel' ? calledSince : email.since;

/**
 * The mail step of somebody who has it gathered: due at the first digest after the oldest message that no mail has told.
 * People who share a morning are released one after another.
 */
export function digestStep(row: ArmedRow, situation: Situation): StepResult {
  const { now, ladder, zone, settings, place } = situation;
  const { since, throughSeq } = row.email;
  if (since === null) return { outcome: 'skipped', reason: throughSeq > 0 ? 'covered_by_digest' : 'all_content_gone' };
  const due = nextDigest(settings, zone, since.getTime()) + place * ladder.digestJitterMs;
  const at = afterPeace(Math.max(due, now.getTime()), row, situation);
  if (at > row.lastAt.getTime() + ladder.emailUntilMs) return { outcome: 'skipped', reason: 'expired' };
  if (at <= now.getTime()) return { outcome: 'send', reason: 'due' };
  return { outcome: 'deferred', reason: at > due ? 'quiet_hours' : 'next_digest', until: new Date(at) };
}

/** The mail step while a weekly summary is due: now, about everything that waits. */
export function summaryStep(row: ArmedRow, situation: Situation): StepResult {
  const now = situation.now.getTime();
  const at = afterPeace(now, row, situation);
  if (at <= now) return { outcome: 'send', reason: 'weekly_summary' };
  return { outcome: 'deferred', reason: 'quiet_hours', until: new Date(at) };
}

const afterPeace = (at: number, row: ArmedRow, situation: Situation) =>
  outOf(merged(peaceOf('email', row, situation)), at);
