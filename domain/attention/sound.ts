import type { ArmedRow } from '../../db/queries/armed.ts';
import { meantMembers } from '../../db/queries/notifiable.ts';
import type { Ladder } from '../deps.ts';

/** What a push is about, as far as it says how loud it may be. */
export interface Told {
  kind: ArmedRow['kind'];
  memberCount: number;
  /** Mentioned by name, or as one of all. */
  byName: boolean;
  mentioned: boolean;
}

/** How often pushes about the conversation sounded since the last reading, the first not counted, and when one last did. */
export interface Sounded {
  times: number;
  last: Date | null;
  /** Something was pushed that is still unread. */
  replaces: boolean;
}

/**
 * Whether a push makes a sound. What is urgent or mentions the person does; of a room that they follow message by message
 * one in a while; of what they are talked to in, the first, a few that replace it, and then one in a while. The rest
 * changes what is displayed, silently.
 */
export function sounds(
  told: Told,
  { times, last, replaces }: Sounded,
  { urgent, now, ladder }: { urgent: boolean; now: Date; ladder: Pick<Ladder, 'sound'> },
): boolean {
  const { first, gapMs, roomGapMs } = ladder.sound;
  const since = last === null ? Number.POSITIVE_INFINITY : now.getTime() - last.getTime();
  if (urgent || told.byName) return true;
  if (isRoom(told)) return since >= roomGapMs;
  return !replaces || times < first || since >= gapMs;
}

/** Neither between two nor calling anybody: a mention of all counts as one where they are few. */
const isRoom = ({ kind, mentioned, memberCount }: Told): boolean =>
  kind !== 'direct' && !(mentioned && memberCount <= meantMembers);
