import { insertReports } from '../../db/queries/provider-reports.ts';
import {
  type UnsettledText,
  closeLeftAttempts,
  leaseUnsettledTexts,
  markMailsUnknownForGood,
  markUnknownForGood,
} from '../../db/queries/unsettled-attempts.ts';
import type { Deps } from '../deps.ts';
import { toRow } from './reports.ts';

const [minute, hour] = [60_000, 3_600_000];
export const settleLimits = {
  /** Milliseconds after which nothing more is expected of a text, a mail, and an attempt whose episode has ended. */
  smsMs: 6 * hour,
  emailMs: 24 * hour,
  leftMs: hour,
  /** Milliseconds before a text that could not be asked for is asked for again. */
  againMs: 10 * minute,
  /** Texts asked for, and others settled, in one round. */
  texts: 20,
  batch: 500,
};

type SettleDeps = Pick<Deps, 'db' | 'now' | 'mac' | 'senders' | 'log'>;

/**
 * What was taken by a provider and of which no end was told: Twilio is asked, and what it says is a report like any other;
 * of mails SendGrid cannot be asked. What stays unknown is so for good, and says it. Answers with how many were settled.
 */
export async function settleAttempts(deps: SettleDeps): Promise<number> {
  const now = deps.now();
  const before = (ms: number) => new Date(now.getTime() - ms);
  const { smsMs, emailMs, leftMs, againMs, texts, batch } = settleLimits;
  const unsettled = await leaseUnsettledTexts(deps.db, { before: before(smsMs), now, againMs, limit: texts });
  const asked = await Promise.all(unsettled.map((text) => ask(deps, text)));
  const mails = await markMailsUnknownForGood(deps.db, { before: before(emailMs), at: now, limit: batch });
  const left = await closeLeftAttempts(deps.db, { before: before(leftMs), at: now, limit: batch });
  return asked.filter(Boolean).length + mails + left.length;
}

/** False where Twilio could not be asked: later, then. A text without an id was never answered for: it cannot be found. */
async function ask(deps: SettleDeps, text: UnsettledText): Promise<boolean> {
  const report = text.providerId === null ? null : await deps.senders.sms.status(text.providerId, text.id);
  if (report === undefined) return false;
  if (report) await insertReports(deps.db, [toRow(deps, 'twilio', report)]);
  if (report && report.fact !== 'accepted' && report.fact !== 'other') return true;
  await markUnknownForGood(deps.db, text, deps.now());
  return true;
}
