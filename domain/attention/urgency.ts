import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { ArmedRow, Progress, Urgent } from '../../db/queries/armed.ts';
import { urgentPeaceOf } from './peace.ts';
import { merged, outOf } from './quiet-hours.ts';
import type { Situation } from './situation.ts';

/** Whether the person lets urgent messages of such a conversation come to them while they want to be left alone. */
export const comesThrough = (
  kind: ArmedRow['kind'],
  { urgentThrough }: Pick<NotificationSettings, 'urgentThrough'>,
): boolean => urgentThrough === 'everyone' || (urgentThrough === 'direct' && kind === 'direct');

/** Whether the channel has announced the message as what it is to the person by now. */
export const isTold = ({ throughSeq, late }: Pick<Progress, 'throughSeq' | 'late'>, seq: number): boolean =>
  seq <= throughSeq && !late?.includes(seq);

type Rules = Pick<Situation, 'settings' | 'zone' | 'pushZone' | 'now' | 'ladder' | 'place'>;

/**
 * The unread messages that are urgent for this person, the oldest first. One that came while they wanted to be left alone,
 * by somebody whom they let through only at other times, is a message as any other.
 */
export function urgentFor(row: Pick<ArmedRow, 'kind' | 'urgents'>, rules: Rules): readonly Urgent[] {
  if (row.urgents.length === 0 || comesThrough(row.kind, rules.settings)) return row.urgents;
  const quiet = merged(urgentPeaceOf('push', rules));
  return row.urgents.filter(({ at }) => outOf(quiet, at.getTime()) === at.getTime());
}
