import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { ArmedRow } from '../../db/queries/armed.ts';
import type { Ladder } from '../deps.ts';
import { isGathered, ownSince } from './digest.ts';
import { nextDigest } from './digest-time.ts';
import { isOnForAll } from './switches.ts';

/** What decides which conversations go into one mail or text. */
export interface Gathering {
  settings: NotificationSettings;
  zone: string;
  now: Date;
  ladder: Ladder;
  /** A weekly summary is due: it tells everything that waits. */
  summary: boolean;
}

/**
 * The conversations that one send announces: a push the one that was decided on; a text or mail also what has waited for
 * half of its own delay, so that one wake-up sends one of them; a digest everything that no mail has told.
 */
export function gathered(
  channel: Channel,
  conversationIds: readonly string[],
  rows: readonly ArmedRow[],
  by: Gathering,
): readonly ArmedRow[] {
  if (channel === 'email' && by.summary) return rows;
  const untold = rows.filter((row) => row[channel].since !== null);
  const isNamed = ({ conversationId }: ArmedRow) => conversationIds.includes(conversationId);
  if (channel === 'push') return untold.filter(isNamed);
  if (channel === 'email' && untold.some((row) => isGathered(row, by.settings))) return digest(untold, isNamed, by);
  const half = { email: by.ladder.emailMs, sms: by.ladder.smsMs }[channel] / 2;
  const since = (row: ArmedRow) => ownSince(channel, row);
  // Whoever wants texts of what is urgent alone gets none of anything else.
  const ridesAlong = (row: ArmedRow) =>
    isOnForAll(channel, row, by.settings) &&
    by.now.getTime() >= (since(row)?.getTime() ?? Number.POSITIVE_INFINITY) + half;
  return untold.filter((row) => since(row) !== null && (isNamed(row) || ridesAlong(row)));
}

/** Before its time has come, as where the settings have changed since the decision, only what need not wait for it is told. */
function digest(
  untold: readonly ArmedRow[],
  isNamed: (row: ArmedRow) => boolean,
  { settings, zone, now }: Gathering,
): readonly ArmedRow[] {
  const isTime = untold.some(
    (row) =>
      isGathered(row, settings) &&
      row.email.since !== null &&
      nextDigest(settings, zone, row.email.since.getTime()) <= now.getTime(),
  );
  return isTime ? untold : untold.filter((row) => isNamed(row) && !isGathered(row, settings));
}
