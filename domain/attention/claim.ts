import { type NotificationSettings, defaultNotificationSettings } from '../../contracts/entities/index.ts';
import type { NotifyInput, NotifyResult } from '../../contracts/workflows/escalate-unread.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Tx } from '../../db/client.ts';
import {
  type ArmedRow,
  type AttemptRow,
  type Cover,
  armedConversations,
  attemptOf,
  finishAttempt,
  insertAttempt,
  reopenAttempt,
  soundedOf,
} from '../../db/queries/attempts.ts';
import { callsIn } from '../../db/queries/announcements.ts';
import { lockAttention } from '../../db/queries/episodes.ts';
import { notificationSettingsOf } from '../../db/queries/notification-settings.ts';
import type { Deps, Ladder } from '../deps.ts';
import { takeOne } from './caps.ts';
import { wanted } from './decide.ts';
import { sounds } from './sound.ts';
import { comesThrough } from './urgency.ts';

type ClaimDeps = Pick<Deps, 'now' | 'ladder' | 'caps' | 'log'>;

/** A send that may go ahead now. */
export interface Claim {
  attemptId: string;
  covers: Cover[];
  tries: number;
  /** An earlier try called the provider and nobody knows what came of it. */
  calledBefore: Date | null;
  /** It tells of something urgent. */
  urgent: boolean;
  /** A push of it makes a sound. */
  sound: boolean;
  /** Calls before that one that nobody knows the outcome of either. */
  unanswered: number;
}

/**
 * Claims a send, immediately before the provider is called: under the person's lock it looks once more at what is unread,
 * moves the watermarks and writes the attempt, in one transaction. A retry finds its own claim; nothing is announced
 * twice by two attempts, and nothing that was read meanwhile.
 */
export async function claimAttempt(
  deps: ClaimDeps & Pick<Deps, 'db'>,
  channel: Channel,
  input: NotifyInput,
): Promise<Claim | NotifyResult> {
  return deps.db.transaction(async (tx) => {
    const attention = await lockAttention(tx, input.userId);
    const over = attention?.episode !== input.episode;
    const earlier = await attemptOf(tx, input.userId, input.attemptId);
    const armed = over ? [] : await armedConversations(tx, input.userId);
    if (earlier) return reclaim(tx, deps, input, earlier, armed);
    if (over) return { result: 'not-needed', reason: 'episode_over' };
    const settings = (await notificationSettingsOf(tx, input.userId))?.settings ?? defaultNotificationSettings;
    const covers = coversOf(channel, input, armed, settings, deps);
    if (covers.length === 0) {
      const unread = armed.some(({ conversationId }) => input.conversationIds.includes(conversationId));
      return { result: 'not-needed', reason: unread ? 'all_content_gone' : 'read_before_send' };
    }
    const { attemptId: id, episode, userId } = input;
    const alert = alertOf(channel, input, armed, settings, deps);
    const urgent = alert !== undefined;
    const sound = channel === 'push' && (await mayBeHeard(tx, deps, userId, { covers, urgent }));
    const spent = channel === 'push' ? 'taken' : await takeOne(tx, deps, userId, { what: channel, urgent });
    if (spent !== 'taken') return { result: 'not-needed', reason: spent };
    await insertAttempt(tx, userId, { id, episode, channel, covers, at: deps.now(), alert, sound });
    return { attemptId: id, covers, tries: 0, calledBefore: null, urgent, sound, unanswered: 0 };
  });
}

async function reclaim(
  tx: Tx,
  deps: Pick<Deps, 'now'>,
  { userId, again }: NotifyInput,
  attempt: AttemptRow,
  armed: readonly ArmedRow[],
): Promise<Claim | NotifyResult> {
  if (attempt.state === 'accepted') return { result: 'sent' };
  if (attempt.state === 'dropped') return { result: 'not-needed', reason: 'read_before_send' };
  if (attempt.state !== 'claimed' && !again)
    return { result: 'unreachable', reason: attempt.errorCode ?? attempt.state };
  const unread = attempt.covers.some(({ conversationId, toSeq }) =>
    armed.some((row) => row.conversationId === conversationId && row.seenSeq < toSeq),
  );
  if (!unread) {
    const state = attempt.calledAt === null ? 'dropped' : 'unknown';
    await finishAttempt(tx, userId, attempt.id, { state, at: deps.now() });
    return { result: 'not-needed', reason: 'read_before_send' };
  }
  const { id: attemptId, covers, tries, urgent, sound, calledAt: calledBefore, unanswered } = attempt;
  const claim = { attemptId, covers, tries, urgent, sound };
  if (attempt.state === 'claimed') return { ...claim, calledBefore, unanswered };
  await reopenAttempt(tx, userId, attemptId);
  return { ...claim, calledBefore: null, unanswered: 0 };
}

/**
 * Whether a push makes a sound, judged once: a retry is as loud as the first try. Whoever has heard enough of them for now
 * gets it silently.
 */
async function mayBeHeard(
  tx: Tx,
  deps: ClaimDeps,
  userId: UserId,
  { covers: [cover], urgent }: { covers: Cover[]; urgent: boolean },
): Promise<boolean> {
  if (!cover) return false;
  const told = await callsIn(tx, userId, cover);
  const sounded = (await soundedOf(tx, userId, cover.conversationId)) ?? unheard;
  const { now, ladder } = deps;
  if (told && !sounds(told, sounded, { urgent, now: now(), ladder })) return false;
  return (await takeOne(tx, deps, userId, { what: 'alert', urgent })) === 'taken';
}

const unheard = { times: 0, last: null, replaces: false };

/**
 * What the attempt announces: a push the conversation that was decided on; a mail or text everything that this channel has
 * not announced yet and that has waited for half of its own delay, so that one wake-up sends one of them. What is urgent
 * is pushed once more with what has come since.
 */
function coversOf(
  channel: Channel,
  { conversationIds, alert }: NotifyInput,
  armed: readonly ArmedRow[],
  settings: NotificationSettings,
  { now, ladder }: Pick<Deps, 'now' | 'ladder'>,
): Cover[] {
  const half = delayOf(channel, ladder) / 2;
  // Whoever wants texts of what is urgent alone gets none of anything else.
  const others = channel !== 'push' && settings.channels[channel];
  const ridesAlong = (since: Date) => others && now().getTime() >= since.getTime() + half;
  return armed
    .filter((row) => wanted(row, settings))
    .flatMap((row): Cover[] => {
      const { conversationId, lastSeq: toSeq } = row;
      const { since, throughSeq } = row[channel];
      const named = conversationIds.includes(conversationId);
      const again = named && alert === 'repeat' ? toRepeat(row, ladder) : undefined;
      if (again !== undefined) return [{ conversationId, fromSeq: again, toSeq }];
      if (since === null || !(named || ridesAlong(since))) return [];
      return [{ conversationId, fromSeq: Math.max(row.fromSeq, row.seenSeq + 1, throughSeq + 1), toSeq }];
    });
}

/** The newest urgent message, where it was pushed, is unread and may be pushed once more. */
function toRepeat({ urgents, push }: ArmedRow, { urgent }: Ladder): number | undefined {
  const newest = urgents.at(-1);
  return newest && newest.seq <= push.throughSeq && push.repeats < urgent.repeats ? newest.seq : undefined;
}

/**
 * Something urgent that came since it was decided counts, too, where its sender comes through at any time. A push of it is
 * urgent for a while only.
 */
function alertOf(
  channel: Channel,
  { conversationIds, alert }: NotifyInput,
  armed: readonly ArmedRow[],
  settings: NotificationSettings,
  { now, ladder }: Pick<Deps, 'now' | 'ladder'>,
): NotifyInput['alert'] {
  const oldest = channel === 'push' ? now().getTime() - ladder.urgent.untilMs : 0;
  const fresh = armed.some(
    ({ conversationId, kind, urgents, [channel]: { throughSeq } }) =>
      conversationIds.includes(conversationId) &&
      urgents.some(({ seq, at }) => seq > throughSeq && at.getTime() >= oldest) &&
      (alert === 'urgent' || comesThrough(kind, settings)),
  );
  return fresh ? 'urgent' : alert === 'repeat' ? alert : undefined;
}

const delayOf = (channel: Channel, ladder: Ladder) =>
  ({ push: ladder.pushMs, email: ladder.emailMs, sms: ladder.smsMs })[channel];
