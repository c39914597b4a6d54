import type { NotificationSettings, StuckReason } from '../../contracts/entities/index.ts';
import { placeOf, places } from '../../contracts/ids.ts';
import type { NotifyInput, NotifyResult } from '../../contracts/workflows/escalate-unread.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import { type Announced, announcedConversations } from '../../db/queries/announcements.ts';
import { appendAttemptEvent } from '../../db/queries/attempt-reports.ts';
import { finishAttempt, markCalled, markNotTaken } from '../../db/queries/attempts.ts';
import type { MailedConversation } from '../../db/queries/mailed.ts';
import { suppress } from '../../db/queries/suppressions.ts';
import type { UserRow } from '../../db/queries/users.ts';
import type { CircuitName, Deps, SendOutcome } from '../deps.ts';
import { ProviderFailing } from '../errors.ts';
import type { Claim } from './claim.ts';
import { lastUseOf } from './peace.ts';
import { targetOf } from './suppressions.ts';

export type NotifyDeps = Pick<
  Deps,
  'db' | 'now' | 'mac' | 'presence' | 'senders' | 'circuits' | 'meter' | 'ladder' | 'caps' | 'publicUrl' | 'log'
>;
export type Refusal = Exclude<SendOutcome, { class: 'ok' }>;

/** Everything that a channel needs to send one attempt. */
export interface Delivery {
  user: UserRow;
  settings: NotificationSettings;
  /** What a push or text announces. */
  told: Announced[];
  /** What a mail tells. */
  mail: MailedConversation[];
  claim: Claim;
  input: NotifyInput;
  /** The provider is out of order, and this one asks whether it is back. */
  probe?: boolean;
}

const channelOf: Record<Refusal['provider'], Channel> = { fcm: 'push', sendgrid: 'email', twilio: 'sms' };

/** Milliseconds until somebody comes back whose call found the provider still out of order. */
const probeAgainMs = 60_000;

/**
 * Whether the provider may be called, asked before anything says that it was. Whoever presses retry is let through: they
 * know what they have mended.
 */
export const admit = async (deps: NotifyDeps, { userId, again }: NotifyInput, circuit: CircuitName) =>
  again ? 'go' : deps.circuits.admit(circuit, userId);

/**
 * The last look before the call, which leaves its mark where it is made. Answers with what the step comes to where it is
 * not: what was read meanwhile is told to nobody.
 */
export async function beginCall(
  deps: NotifyDeps,
  { input, claim }: Pick<Delivery, 'input' | 'claim'>,
): Promise<NotifyResult | undefined> {
  const { attemptId: id, tries, readAt } = claim;
  const calling = await markCalled(deps.db, input.userId, { id, tries, at: deps.now(), readAt });
  if (calling === 'superseded') throw new ProviderFailing('superseded');
  return calling === 'read' ? drop(deps, { input, claim }, 'read_before_send') : undefined;
}

/** What it covered was read, deleted or left between the claim and now. */
export async function drop(
  deps: NotifyDeps,
  { input: { userId, attemptId }, claim: { calledBefore } }: Pick<Delivery, 'input' | 'claim'>,
  reason: 'read_before_send' | 'all_content_gone',
): Promise<NotifyResult> {
  const state = calledBefore === null ? 'dropped' : 'unknown';
  await finishAttempt(deps.db, userId, attemptId, { state, at: deps.now() });
  return { result: 'not-needed', reason };
}

/** It waits for its provider, unless that is longer than it is of any use. */
export async function defer(
  deps: NotifyDeps,
  delivery: Pick<Delivery, 'input' | 'told' | 'claim' | 'user' | 'settings'>,
  channel: Channel,
  until: Date,
): Promise<NotifyResult> {
  const { input, claim } = delivery;
  const deferred: NotifyResult = { result: 'deferred', until: until.toISOString() };
  // It tells what is a week old, and of which no other mail will tell.
  if (claim.kind === 'summary') return deferred;
  // A mail holds some lines of many messages, without their times.
  const told =
    delivery.told.length > 0 ? delivery.told : await announcedConversations(deps.db, input.userId, claim.covers);
  const newest = new Date(Math.max(...told.map(({ createdAt }) => createdAt.getTime())));
  return until.getTime() > lastUse(deps, delivery, channel, newest)
    ? fail(deps, delivery, 'expired', 'expired')
    : deferred;
}

/** Writes down what a provider answered, and says what that means for the step. */
export async function answer(
  deps: NotifyDeps,
  delivery: Delivery,
  outcome: SendOutcome,
  source: string,
): Promise<NotifyResult> {
  const { input, claim } = delivery;
  if (outcome.class === 'ok') {
    await heard(deps, input, { key: 'accepted', source, kind: 'accepted' });
    return accept(deps, delivery, outcome.providerId);
  }
  await heard(deps, input, { key: `${claim.tries}:${outcome.code}`, source, kind: outcome.class, code: outcome.code });
  await suppressRefused(deps, delivery, outcome);
  return settle(deps, delivery, outcome);
}

/** An address or number that the provider itself says is none, or wants nothing. 21612 is about our route to it. */
async function suppressRefused(
  deps: NotifyDeps,
  { user: { email, phone } }: Delivery,
  { class: kind, provider, code }: Refusal,
): Promise<void> {
  if (code === '21612' || (kind !== 'recipient_dead' && kind !== 'recipient_opted_out')) return;
  const cause = kind === 'recipient_dead' ? 'invalid' : 'opted_out';
  const [channel, address] = provider === 'sendgrid' ? (['email', email] as const) : (['sms', phone] as const);
  if (address) await suppress(deps.db, targetOf(deps, channel, address), { cause });
}

/** What each class of failure means for the step. */
export async function settle(deps: NotifyDeps, delivery: Delivery, outcome: Refusal): Promise<NotifyResult> {
  switch (outcome.class) {
    case 'throttled':
    case 'transient':
      await markNotTaken(deps.db, delivery.input.userId, delivery.input.attemptId);
      return later(deps, delivery, outcome);
    case 'ambiguous':
      throw new ProviderFailing(outcome.code, outcome.retryAfterMs);
    case 'config_outage':
      if (delivery.probe) {
        await markNotTaken(deps.db, delivery.input.userId, delivery.input.attemptId);
        const again = new Date(deps.now().getTime() + probeAgainMs);
        return defer(deps, delivery, channelOf[outcome.provider], again);
      }
      return stick(deps, delivery, 'provider_configuration', outcome.code);
    case 'content_rejected':
      // Ours to mend in code, and about this one attempt: nobody else's pushes may wait for it.
      deps.log.error('a provider refused the content of a notification', {
        attemptId: delivery.input.attemptId,
        provider: outcome.provider,
        code: outcome.code,
      });
      return fail(deps, delivery, outcome.class, outcome.code);
    case 'recipient_dead':
    case 'recipient_opted_out':
    case 'recipient_soft':
      return fail(deps, delivery, outcome.class, outcome.code);
  }
}

/** A provider that names a time beyond our own patience is waited for by a timer: as tries they would be given up before. */
async function later(
  deps: NotifyDeps,
  delivery: Delivery,
  { provider, code, retryAfterMs }: Refusal,
): Promise<NotifyResult> {
  if (retryAfterMs === undefined || retryAfterMs <= deps.ladder.retry.maxMs)
    throw new ProviderFailing(code, retryAfterMs);
  return defer(deps, delivery, channelOf[provider], new Date(deps.now().getTime() + retryAfterMs));
}

/** What a retry of the same attempt may still mend. */
export const mayYetSucceed = (outcome: SendOutcome): outcome is Refusal =>
  outcome.class === 'throttled' || outcome.class === 'transient' || outcome.class === 'ambiguous';

export async function accept(deps: NotifyDeps, { input }: Delivery, providerId?: string): Promise<NotifyResult> {
  await finishAttempt(deps.db, input.userId, input.attemptId, { state: 'accepted', at: deps.now(), providerId });
  return { result: 'sent' };
}

/** This address cannot be reached on this channel; the ladder goes on. */
export async function fail(
  deps: NotifyDeps,
  { input }: Pick<Delivery, 'input'>,
  errorClass: string,
  errorCode: string,
): Promise<NotifyResult> {
  const failed = { state: 'failed' as const, at: deps.now(), errorClass, errorCode };
  await finishAttempt(deps.db, input.userId, input.attemptId, failed);
  return { result: 'unreachable', reason: errorCode };
}

/** A person must look: nothing that this code could do by itself would be right. */
export async function stick(
  deps: NotifyDeps,
  { input }: Delivery,
  reason: StuckReason,
  code: string,
): Promise<NotifyResult> {
  const state = reason.endsWith('_unknown') ? 'unknown' : 'failed';
  const finished = { state, at: deps.now(), errorClass: reason, errorCode: code } as const;
  await finishAttempt(deps.db, input.userId, input.attemptId, finished);
  deps.log.warn('a step needs attention', { userId: input.userId, attemptId: input.attemptId, reason, code });
  return { result: 'stuck', reason, code };
}

export async function heard(
  deps: Pick<Deps, 'db' | 'now'>,
  { userId, attemptId }: NotifyInput,
  event: { key: string; source: string; kind: string; code?: string },
): Promise<void> {
  await appendAttemptEvent(deps.db, userId, attemptId, { ...event, at: deps.now() });
}

/** Until when it is of use to tell a person of a message that came then. */
export function lastUse(
  { now, ladder }: Pick<Deps, 'now' | 'ladder'>,
  { user, settings, claim: { pushZone } }: Pick<Delivery, 'user' | 'settings'> & { claim: Pick<Claim, 'pushZone'> },
  channel: Channel,
  newest: Date,
): number {
  const rules = { settings, zone: user.timeZone, pushZone, now: now(), ladder, place: placeOf(user.id) / places };
  return lastUseOf(channel, newest, rules);
}

/** Seconds until the provider, too, is to give it up: at least one. */
export const secondsLeft = ({ now }: Pick<Deps, 'now'>, until: number): number =>
  Math.max(1, Math.floor((until - now().getTime()) / 1_000));

export const linkTo =
  ({ publicUrl }: Pick<Deps, 'publicUrl'>, { attemptId }: Pick<Claim, 'attemptId'>) =>
  ({ conversationId, seq }: Pick<Announced, 'conversationId' | 'seq'>) =>
    `${publicUrl}/o/${conversationId}/${seq}?n=${attemptId}`;
