import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { NotifyInput } from '../../contracts/workflows/escalate-unread.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Tx } from '../../db/client.ts';
import { callsIn } from '../../db/queries/announcements.ts';
import type { ArmedRow } from '../../db/queries/armed.ts';
import { type Cover, soundedOf } from '../../db/queries/attempts.ts';
import type { Deps, Ladder } from '../deps.ts';
import { takeOne } from './caps.ts';
import { sounds } from './sound.ts';
import { comesThrough, isTold } from './urgency.ts';

/**
 * Whether a push makes a sound, judged once: a retry is as loud as the first try. Whoever has heard enough of them for now
 * gets it silently.
 */
export async function mayBeHeard(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'ladder' | 'caps' | 'log'>,
  userId: UserId,
  { covers, urgent }: { covers: Cover[]; urgent: boolean },
): Promise<boolean> {
  const [cover] = covers;
  if (!cover) return false;
  const told = await callsIn(tx, userId, covers);
  const sounded = (await soundedOf(tx, userId, cover.conversationId)) ?? unheard;
  const { now, ladder } = deps;
  if (told && !sounds(told, sounded, { urgent, now: now(), ladder })) return false;
  return (await takeOne(tx, deps, userId, { what: 'alert', urgent })) === 'taken';
}

const unheard = { times: 0, last: null, replaces: false };

/** The newest urgent message, where it was pushed, is unread and may be pushed once more. */
export function toRepeat({ urgents, push }: ArmedRow, { urgent }: Ladder): number | undefined {
  const newest = urgents.at(-1);
  return newest && isTold(push, newest.seq) && push.repeats < urgent.repeats ? newest.seq : undefined;
}

/**
 * Something urgent that came since it was decided counts, too, where its sender comes through at any time. A push of it is
 * urgent for a while only.
 */
export function alertOf(
  channel: Channel,
  { conversationIds, alert }: NotifyInput,
  armed: readonly ArmedRow[],
  settings: NotificationSettings,
  { now, ladder }: Pick<Deps, 'now' | 'ladder'>,
): NotifyInput['alert'] {
  const oldest = channel === 'push' ? now().getTime() - ladder.urgent.untilMs : 0;
  const fresh = armed.some(
    ({ conversationId, kind, urgents, [channel]: told }) =>
      conversationIds.includes(conversationId) &&
      urgents.some(({ seq, at }) => !isTold(told, seq) && at.getTime() >= oldest) &&
      (alert === 'urgent' || comesThrough(kind, settings)),
  );
  return fresh ? 'urgent' : alert === 'repeat' ? alert : undefined;
}
