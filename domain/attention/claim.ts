import { defaultNotificationSettings, stuckReasons } from '../../contracts/entities/index.ts';
import { type UserId, placeOf, places } from '../../contracts/ids.ts';
import type { NotifyInput, NotifyResult } from '../../contracts/workflows/escalate-unread.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Tx } from '../../db/client.ts';
import { type ArmedRow, armedConversations } from '../../db/queries/armed.ts';
import {
  type AttemptKind,
  type AttemptRow,
  type Cover,
  attemptOf,
  finishAttempt,
  giveBackAttempt,
  insertAttempt,
  reopenAttempt,
} from '../../db/queries/attempts.ts';
import { devicesOf } from '../../db/queries/devices.ts';
import { toldByOthers } from '../../db/queries/late-calls.ts';
import { type AttentionRow, lockAttention } from '../../db/queries/episodes.ts';
import { notificationSettingsOf } from '../../db/queries/notification-settings.ts';
import { takeSummary } from '../../db/queries/summaries.ts';
import { userById } from '../../db/queries/users.ts';
import type { Deps, Ladder } from '../deps.ts';
import { alertOf, mayBeHeard, toRepeat } from './alert.ts';
import { takeOne } from './caps.ts';
import { wanted } from './decide.ts';
import { zoneOf } from './devices.ts';
import { gathered } from './gathering.ts';
import { isLeftAlone, lastUseOf } from './peace.ts';
import type { Situation } from './situation.ts';
import { isSummaryDue } from './summary.ts';
import { isOn } from './switches.ts';
import { comesThrough } from './urgency.ts';

type ClaimDeps = Pick<Deps, 'now' | 'ladder' | 'caps' | 'log'>;

/** `request`: which of Temporal's activities asks. It is the same one when it asks again because a worker died. */
export type NotifyRequest = NotifyInput & { request?: string };

/** A send that may go ahead now. */
export interface Claim {
  attemptId: string;
  kind: AttemptKind;
  covers: Cover[];
  tries: number;
  /** An earlier try called the provider and nobody knows what came of it. */
  calledBefore: Date | null;
  /** It tells of something urgent. */
  urgent: boolean;
  /** A push of it makes a sound. */
  sound: boolean;
  /** By whose clock a push keeps quiet hours. */
  pushZone: string;
  /** Calls before that one that nobody knows the outcome of either. */
  unanswered: number;
  /** When it was claimed again, by the database's clock: what it tells is read after that. Null for the first time. */
  readAt: Date | null;
}

/**
 * Claims a send, immediately before the provider is called: under the person's lock it looks once more at what is unread,
 * moves the watermarks and writes the attempt, in one transaction. A retry finds its own claim; nothing is announced
 * twice by two attempts, nothing that was read meanwhile, and nothing while the person wants to be left alone: between the
 * decision and the call there may be an outage, and a night.
 */
export async function claimAttempt(
  deps: ClaimDeps & Pick<Deps, 'db'>,
  channel: Channel,
  input: NotifyRequest,
): Promise<Claim | NotifyResult> {
  return deps.db.transaction(async (tx) => {
    const attention = await lockAttention(tx, input.userId);
    const over = attention?.episode !== input.episode;
    const earlier = await attemptOf(tx, input.userId, input.attemptId);
    if (!over && !earlier) await takePlaceOf(tx, input, deps.now());
    const armed = over ? [] : await armedConversations(tx, input.userId);
    const claiming = { channel, input, armed, rules: await rulesOf(tx, deps, input.userId, channel) };
    if (earlier) return reclaim(tx, claiming, earlier);
    if (over || !attention) return { result: 'not-needed', reason: 'episode_over' };
    return claim(tx, deps, { ...claiming, attention });
  });
}

/**
 * What is urgent overtakes a push that its provider keeps waiting, and tells what that one was to tell. Of a call that may
 * have been heard nothing is told again.
 */
async function takePlaceOf(tx: Tx, { userId, instead }: NotifyRequest, at: Date): Promise<void> {
  if (instead === undefined) return;
  await reopenStuck(tx, userId, instead);
  const overtaken = await attemptOf(tx, userId, instead);
  if (overtaken?.state !== 'claimed') return;
  if (overtaken.reached) return finishAttempt(tx, userId, overtaken.id, { state: 'accepted', at });
  if (overtaken.calledAt === null) return giveBackAttempt(tx, userId, overtaken.id, at);
  return finishAttempt(tx, userId, overtaken.id, { state: 'unknown', at });
}

/**
 * A person has asked for another try of it, which is overtaken before it began. They know that it was refused, or that
 * nobody knows what came of it, and want it told: what takes its place does that.
 */
async function reopenStuck(tx: Tx, userId: UserId, id: string): Promise<void> {
  const attempt = await attemptOf(tx, userId, id);
  if (attempt && mayBeReopened(attempt) && isStuck(attempt)) await reopenAttempt(tx, userId, id, undefined);
}

const isStuck = ({ errorClass }: AttemptRow) => stuckReasons.some((one) => one === errorClass);

type Rules = Pick<Situation, 'settings' | 'zone' | 'pushZone' | 'now' | 'ladder' | 'place'>;
interface Claiming {
  channel: Channel;
  input: NotifyRequest;
  armed: readonly ArmedRow[];
  rules: Rules;
}

/** What the person wants right now. */
async function rulesOf(tx: Tx, { now, ladder }: ClaimDeps, userId: UserId, channel: Channel): Promise<Rules> {
  const settings = (await notificationSettingsOf(tx, userId))?.settings ?? defaultNotificationSettings;
  const user = await userById(tx, userId);
  const zone = user?.timeZone ?? 'UTC';
  const pushZone = channel === 'push' ? zoneOf(await devicesOf(tx, userId), user) : zone;
  return { settings, zone, pushZone, now: now(), ladder, place: placeOf(userId) / places };
}

const wantedBy = ({ channel, armed, rules: { settings } }: Claiming): ArmedRow[] =>
  armed.filter((row) => wanted(row, settings) && isOn(channel, row, settings));

async function claim(
  tx: Tx,
  deps: ClaimDeps,
  { attention, ...claiming }: Claiming & { attention: AttentionRow },
): Promise<Claim | NotifyResult> {
  const { channel, input, rules } = claiming;
  const { userId, episode, attemptId: id } = input;
  const { settings, zone, now, ladder } = rules;
  const summary = channel === 'email' && (await isSummaryDue(tx, { userId, attention, now }));
  const rows = wantedBy(claiming);
  const told = gathered(channel, input.conversationIds, rows, { settings, zone, now, ladder, summary });
  const again = input.alert === 'repeat' ? repeated(input, rows, ladder) : [];
  const covers = again.length > 0 ? again : told.flatMap((row) => coversOf(channel, row, { summary }));
  if (covers.length === 0) {
    const isGone = ({ conversationId, lastSeq, [channel]: { since, throughSeq } }: ArmedRow) =>
      input.conversationIds.includes(conversationId) && since === null && throughSeq < lastSeq;
    return { result: 'not-needed', reason: rows.some(isGone) ? 'all_content_gone' : 'read_before_send' };
  }
  if (!summary && told.length > 0 && isLate(channel, told, rules)) return { result: 'not-needed', reason: 'expired' };
  const alert = alertOf(channel, input, rows, settings, deps);
  const urgent = alert !== undefined;
  const comes = urgent && rows.some((row) => comesThrough(row.kind, settings) && covers.some(isOf(row)));
  if (!comes && isLeftAlone(channel, rules, { urgent })) return { result: 'not-needed', reason: 'quiet_hours' };
  const sound = channel === 'push' && (await mayBeHeard(tx, deps, userId, { covers, urgent }));
  const spent = channel === 'push' ? 'taken' : await takeOne(tx, deps, userId, { what: channel, urgent });
  if (spent !== 'taken') return { result: 'not-needed', reason: spent };
  const kind = summary ? 'summary' : 'unread';
  if (summary) await takeSummary(tx, userId);
  await insertAttempt(tx, userId, { id, episode, channel, kind, covers, at: now, alert, sound });
  const { pushZone } = rules;
  const first = { tries: 0, calledBefore: null, unanswered: 0, readAt: null };
  return { attemptId: id, kind, covers, urgent, sound, pushZone, ...first };
}

/** All that is told came too long ago: it may have stood in its provider's queue for hours. */
const isLate = (channel: Channel, told: readonly ArmedRow[], rules: Rules): boolean =>
  told.every(({ lastAt }) => lastUseOf(channel, lastAt, rules) < rules.now.getTime());

const isOf =
  ({ conversationId }: ArmedRow) =>
  (cover: Cover) =>
    cover.conversationId === conversationId;

async function reclaim(tx: Tx, claiming: Claiming, attempt: AttemptRow): Promise<Claim | NotifyResult> {
  const { channel, armed, rules } = claiming;
  const { userId, request } = claiming.input;
  const again = claiming.input.again === true && (request === undefined || request !== attempt.reopenedBy);
  if (attempt.state !== 'claimed' && !(again && mayBeReopened(attempt))) return resultOf(attempt);
  // What no provider has been asked for keeps to the person's rules as they are by now.
  const unasked = attempt.calledAt === null && !claiming.input.again;
  const rows = unasked ? wantedBy(claiming) : armed;
  const unread = rows.filter(({ conversationId, seenSeq }) =>
    attempt.covers.some((cover) => cover.conversationId === conversationId && seenSeq < cover.toSeq),
  );
  if (unread.length === 0) {
    const state = attempt.calledAt === null ? 'dropped' : 'unknown';
    await finishAttempt(tx, userId, attempt.id, { state, at: rules.now });
    return { result: 'not-needed', reason: 'read_before_send' };
  }
  if (unasked && attempt.kind === 'unread' && isLate(channel, unread, rules)) {
    const expired = { state: 'failed' as const, errorClass: 'expired', errorCode: 'expired', at: rules.now };
    await finishAttempt(tx, userId, attempt.id, expired);
    return { result: 'unreachable', reason: 'expired' };
  }
  if (unasked && mayBeGivenBack(attempt) && isLeftAlone(channel, rules)) {
    await giveBackAttempt(tx, userId, attempt.id, rules.now);
    return { result: 'not-needed', reason: 'quiet_hours' };
  }
  const { id: attemptId, kind, tries, urgent, sound, calledAt: calledBefore, unanswered, seenAt: readAt } = attempt;
  const covers = without(attempt.covers, await toldByOthers(tx, userId, attempt));
  const claim = { attemptId, kind, covers, tries, urgent, sound, pushZone: rules.pushZone, readAt };
  if (attempt.state === 'claimed') return { ...claim, calledBefore, unanswered };
  await reopenAttempt(tx, userId, attemptId, request);
  return { ...claim, calledBefore: null, unanswered: 0 };
}

/** The covers, parted at messages that are not theirs to tell, which come in their order. */
function without(covers: readonly Cover[], others: readonly { conversationId: string; seq: number }[]): Cover[] {
  return others.reduce<readonly Cover[]>(
    (parts, { conversationId, seq }) =>
      parts.flatMap((part) => {
        if (part.conversationId !== conversationId || seq < part.fromSeq || part.toSeq < seq) return [part];
        const around = [
          { ...part, toSeq: seq - 1 },
          { ...part, fromSeq: seq + 1 },
        ];
        return around.filter(({ fromSeq, toSeq }) => fromSeq <= toSeq);
      }),
    covers,
  ) as Cover[];
}

const mayBeReopened = ({ state }: AttemptRow): boolean => state === 'failed' || state === 'unknown';

/** What was said of it before: whoever asks has not heard it, as when a worker died with the answer. */
function resultOf({ state, errorClass, errorCode }: AttemptRow): NotifyResult {
  if (state === 'accepted') return { result: 'sent' };
  if (state === 'dropped') return { result: 'not-needed', reason: 'read_before_send' };
  const code = errorCode ?? state;
  const reason = stuckReasons.find((one) => one === errorClass);
  return reason ? { result: 'stuck', reason, code } : { result: 'unreachable', reason: code };
}

/** It has told nobody anything, and what it tells can be decided on again. */
const mayBeGivenBack = ({ kind, urgent, reached }: AttemptRow): boolean => kind === 'unread' && !urgent && !reached;

/**
 * What the channel has not announced of a conversation: all that comes after what it has, and of what stands before that
 * only what calls by an edit since. A summary tells of a conversation of which there is nothing, too.
 */
function coversOf(channel: Channel, row: ArmedRow, { summary }: { summary: boolean }): Cover[] {
  const { conversationId, lastSeq: toSeq } = row;
  const { throughSeq, late = [] } = row[channel];
  const fromSeq = Math.max(row.fromSeq, row.seenSeq + 1, throughSeq + 1);
  const rest = fromSeq <= toSeq || summary ? [{ conversationId, fromSeq, toSeq }] : [];
  return [...rest, ...late.map((seq) => ({ conversationId, fromSeq: seq, toSeq: seq }))];
}

/** What is urgent is pushed once more with what has come since. */
const repeated = ({ conversationIds }: NotifyInput, rows: readonly ArmedRow[], ladder: Ladder): Cover[] =>
  rows
    .filter(({ conversationId }) => conversationIds.includes(conversationId))
    .flatMap((row) => {
      const fromSeq = toRepeat(row, ladder);
      return fromSeq === undefined ? [] : [{ conversationId: row.conversationId, fromSeq, toSeq: row.lastSeq }];
    });
