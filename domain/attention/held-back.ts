import { type HeldBack, defaultNotificationSettings } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { unreadRecipients } from '../../db/queries/unread-recipients.ts';
import type { Deps } from '../deps.ts';
import { urgentPeaceOf } from './peace.ts';
import { merged, outOf } from './quiet-hours.ts';
import { comesThrough } from './urgency.ts';

/**
 * Who is told of an urgent message only when they no longer want to be left alone: it is handled as any other, and its
 * sender is owed that. Asked for anew each time, as people read, where they tell that, and change when they want to be left
 * alone. Nothing else takes a name away before its time: it would say what is nobody's business.
 */
export async function heldBackOf(
  deps: Pick<Deps, 'db' | 'now' | 'ladder'>,
  message: { conversationId: ConversationId; seq: number; createdAt: Date; kind: 'direct' | 'group' | 'channel' },
): Promise<HeldBack[]> {
  const [now, recipients] = [deps.now(), await unreadRecipients(deps.db, message)];
  const [sent, present] = [message.createdAt.getTime(), now.getTime()];
  return recipients.flatMap(({ userId, timeZone, settings: stored }): HeldBack[] => {
    const settings = { ...defaultNotificationSettings, ...stored };
    if (comesThrough(message.kind, settings)) return [];
    const clock = { zone: timeZone, pushZone: timeZone };
    const peace = merged(urgentPeaceOf('push', { settings, ...clock, now, ladder: deps.ladder, place: 0 }));
    const until = outOf(peace, present);
    // What came before that was told at once.
    return outOf(peace, sent) > sent && until > present ? [{ userId, until: new Date(until).toISOString() }] : [];
  });
}
