import { createHash } from 'node:crypto';
import { type NotificationSettings, defaultNotificationSettings } from '../../contracts/entities/index.ts';
import type { NotifyInput, NotifyResult } from '../../contracts/workflows/escalate-unread.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import { type AnnouncedMessage, announcedMessages, unreadConversations } from '../../db/queries/announcements.ts';
import {
  acceptedKeys,
  appendAttemptEvent,
  finishAttempt,
  markCalled,
  markNotTaken,
} from '../../db/queries/attempts.ts';
import { type DeviceRow, devicesOf, markPushTokenRefused } from '../../db/queries/devices.ts';
import { notificationSettingsOf } from '../../db/queries/notification-settings.ts';
import { type UserRow, userById } from '../../db/queries/users.ts';
import type { Deps, SendOutcome } from '../deps.ts';
import { ProviderFailing } from '../errors.ts';
import { type Claim, claimAttempt } from './claim.ts';
import { renderEmail, renderPush, renderSms } from './render.ts';

type NotifyDeps = Pick<Deps, 'db' | 'now' | 'mac' | 'senders' | 'ladder' | 'publicUrl' | 'log'>;

/** Everything that a channel needs to send one attempt. */
interface Delivery {
  user: UserRow;
  settings: NotificationSettings;
  messages: AnnouncedMessage[];
  claim: Claim;
  input: NotifyInput;
}

/**
 * One step of an episode on one channel: claim, render from what the database says now, call the provider, write down
 * what came of it. A refusal that no retry mends is an answer; a provider that fails is thrown as `ProviderFailing`, and
 * the same attempt is tried again.
 */
export async function notify(deps: NotifyDeps, channel: Channel, input: NotifyInput): Promise<NotifyResult> {
  const claim = await claimAttempt(deps, channel, input);
  if ('result' in claim) return claim;
  const delivery = await prepare(deps, input, claim);
  if (!delivery) return drop(deps, input);
  return deliver[channel](deps, delivery);
}

async function prepare(deps: NotifyDeps, input: NotifyInput, claim: Claim): Promise<Delivery | undefined> {
  const { userId } = input;
  const [user, stored, messages] = await Promise.all([
    userById(deps.db, userId),
    notificationSettingsOf(deps.db, userId),
    announcedMessages(deps.db, userId, claim.covers),
  ]);
  if (!user || messages.length === 0) return undefined;
  return { user, settings: stored?.settings ?? defaultNotificationSettings, messages, claim, input };
}

/** What it covered was read, deleted or left between the claim and now. */
async function drop(deps: NotifyDeps, { userId, attemptId }: NotifyInput): Promise<NotifyResult> {
  await finishAttempt(deps.db, userId, attemptId, { state: 'dropped', at: deps.now() });
  return { result: 'not-needed', reason: 'all_content_gone' };
}

const deliver: Record<Channel, (deps: NotifyDeps, delivery: Delivery) => Promise<NotifyResult>> = {
  push: deliverPush,
  email: deliverEmail,
  sms: deliverSms,
};

/** To every eligible device: a desktop left open at work must not swallow the phone's push. */
async function deliverPush(deps: NotifyDeps, delivery: Delivery): Promise<NotifyResult> {
  const { userId, attemptId } = delivery.input;
  const done = await acceptedKeys(deps.db, userId, attemptId);
  const devices = (await devicesOf(deps.db, userId))
    .filter(canPush)
    .filter((device) => !done.has(`device:${device.id}`));
  if (devices.length === 0)
    return done.size > 0 ? accept(deps, delivery) : fail(deps, delivery, 'recipient_dead', 'no_device');
  await markCalled(deps.db, userId, attemptId, deps.now());
  const badge = await unreadConversations(deps.db, userId);
  const outcomes: SendOutcome[] = [];
  for (const device of devices) outcomes.push(await pushTo(deps, delivery, device, badge));
  const reached = outcomes.find((outcome) => outcome.class === 'ok');
  if (reached || done.size > 0) return accept(deps, delivery, reached?.class === 'ok' ? reached.providerId : undefined);
  return settle(deps, delivery, worstOf(outcomes));
}

const canPush = ({ pushToken, pushState, pushPermission }: DeviceRow) =>
  pushToken !== null && pushState === 'active' && pushPermission !== 'denied';

async function pushTo(
  deps: NotifyDeps,
  { messages, settings, input, claim }: Delivery,
  device: DeviceRow,
  badge: number,
) {
  const newest = messages.at(-1) as AnnouncedMessage;
  const { conversationId, seq, id } = newest;
  const sentAt = deps.now();
  const token = device.pushToken as string;
  const outcome = await deps.senders.push.send({
    token,
    attemptId: input.attemptId,
    conversationKey: createHash('sha256').update(`${input.userId}${conversationId}`).digest('hex').slice(0, 32),
    ...renderPush(messages, settings.preview),
    data: {
      kind: 'message',
      attemptId: input.attemptId,
      conversationId,
      messageId: id,
      seq: String(seq),
      count: String(messages.length),
      preview: settings.preview,
      link: linkTo(deps, claim)(newest),
    },
    badge,
    urgent: false,
    ttlSeconds: Math.floor(deps.ladder.pushUntilMs / 1_000),
  });
  const target = fingerprint(deps, token);
  if (outcome.class === 'ok') {
    await heard(deps, input, { key: `device:${device.id}`, source: 'fcm', kind: 'accepted' });
  } else {
    await heard(deps, input, {
      key: `${target}:${claim.tries}:${outcome.code}`,
      source: 'fcm',
      kind: outcome.class,
      code: outcome.code,
    });
    if (outcome.class === 'recipient_dead') await markPushTokenRefused(deps.db, input.userId, token, sentAt);
  }
  return outcome;
}

/** The outcome that says most about what to do when no device was reached: what a retry could still mend comes first. */
function worstOf(outcomes: readonly SendOutcome[]): Exclude<SendOutcome, { class: 'ok' }> {
  const order = [
    'throttled',
    'transient',
    'ambiguous',
    'config_outage',
    'content_rejected',
    'recipient_soft',
    'recipient_opted_out',
    'recipient_dead',
  ];
  const failed = outcomes.filter((outcome) => outcome.class !== 'ok');
  return failed.sort((a, b) => order.indexOf(a.class) - order.indexOf(b.class))[0] as Exclude<
    SendOutcome,
    { class: 'ok' }
  >;
}

async function deliverEmail(deps: NotifyDeps, delivery: Delivery): Promise<NotifyResult> {
  const { user, messages, claim, input } = delivery;
  if (!user.email || !user.emailVerifiedAt) return fail(deps, delivery, 'recipient_dead', 'email_missing');
  // Nobody knows what came of the last call: time for the provider's own report first, then the same mail again.
  const settled = claim.calledBefore && claim.calledBefore.getTime() + deps.ladder.emailSettleMs;
  if (settled && settled > deps.now().getTime()) throw new ProviderFailing('ambiguous', settled - deps.now().getTime());
  if (claim.tries > maxEmailTries) return stick(deps, delivery, 'email_outcome_unknown', 'ambiguous');
  await markCalled(deps.db, input.userId, input.attemptId, deps.now());
  const outcome = await deps.senders.email.send({
    to: user.email,
    attemptId: input.attemptId,
    ...renderEmail(messages, linkTo(deps, claim)),
    messageId: `<${input.attemptId}@${hostOf(deps.publicUrl)}>`,
    ...threadOf(deps, messages),
  });
  return answer(deps, delivery, outcome, 'sendgrid');
}

/** A mail whose fate stays unknown is sent three times at most, always with one Message-ID. */
const maxEmailTries = 2;

/** One conversation: its mails are one thread. Several: the mail stands alone. */
function threadOf(deps: NotifyDeps, messages: readonly AnnouncedMessage[]): { references?: string } {
  const conversations = new Set(messages.map(({ conversationId }) => conversationId));
  if (conversations.size > 1) return {};
  return { references: `<conversation.${[...conversations][0]}@${hostOf(deps.publicUrl)}>` };
}

async function deliverSms(deps: NotifyDeps, delivery: Delivery): Promise<NotifyResult> {
  const { user, messages, claim, input } = delivery;
  if (!user.phone || !user.phoneVerifiedAt) return fail(deps, delivery, 'recipient_dead', 'phone_missing');
  const body = renderSms(messages, `${deps.publicUrl}/o?n=${input.attemptId}`);
  if (claim.calledBefore) return findText(deps, delivery, { to: user.phone, body, since: claim.calledBefore });
  const calledAt = deps.now();
  await markCalled(deps.db, input.userId, input.attemptId, calledAt);
  const validitySeconds = Math.min(36_000, Math.floor(deps.ladder.smsUntilMs / 1_000));
  const outcome = await deps.senders.sms.send({ to: user.phone, attemptId: input.attemptId, body, validitySeconds });
  if (outcome.class === 'ambiguous') return findText(deps, delivery, { to: user.phone, body, since: calledAt });
  return answer(deps, delivery, outcome, 'twilio');
}

/** Twilio has no idempotency key. A text whose fate is unknown is looked for; it is never sent again by itself. */
async function findText(
  deps: NotifyDeps,
  delivery: Delivery,
  message: { to: string; body: string; since: Date },
): Promise<NotifyResult> {
  const found = await deps.senders.sms.find(message);
  if (found) return accept(deps, delivery, found.providerId);
  return stick(deps, delivery, 'sms_outcome_unknown', 'ambiguous');
}

async function answer(
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
  return settle(deps, delivery, outcome);
}

/** What each class of failure means for the step. */
async function settle(
  deps: NotifyDeps,
  delivery: Delivery,
  outcome: Exclude<SendOutcome, { class: 'ok' }>,
): Promise<NotifyResult> {
  switch (outcome.class) {
    case 'throttled':
    case 'transient':
      await markNotTaken(deps.db, delivery.input.userId, delivery.input.attemptId);
      throw new ProviderFailing(outcome.code, outcome.retryAfterMs);
    case 'ambiguous':
      throw new ProviderFailing(outcome.code, outcome.retryAfterMs);
    case 'config_outage':
      return stick(deps, delivery, 'provider_configuration', outcome.code);
    case 'content_rejected':
      return stick(deps, delivery, 'content_rejected', outcome.code);
    case 'recipient_dead':
    case 'recipient_opted_out':
    case 'recipient_soft':
      return fail(deps, delivery, outcome.class, outcome.code);
  }
}

async function accept(deps: NotifyDeps, { input }: Delivery, providerId?: string): Promise<NotifyResult> {
  await finishAttempt(deps.db, input.userId, input.attemptId, { state: 'accepted', at: deps.now(), providerId });
  return { result: 'sent' };
}

/** This address cannot be reached on this channel; the ladder goes on. */
async function fail(
  deps: NotifyDeps,
  { input }: Delivery,
  errorClass: string,
  errorCode: string,
): Promise<NotifyResult> {
  await finishAttempt(deps.db, input.userId, input.attemptId, {
    state: 'failed',
    at: deps.now(),
    errorClass,
    errorCode,
  });
  return { result: 'unreachable', reason: errorCode };
}

/** A person must look: nothing that this code could do by itself would be right. */
async function stick(deps: NotifyDeps, { input }: Delivery, reason: string, code: string): Promise<NotifyResult> {
  const state = reason.endsWith('_unknown') ? 'unknown' : 'failed';
  await finishAttempt(deps.db, input.userId, input.attemptId, {
    state,
    at: deps.now(),
    errorClass: reason,
    errorCode: code,
  });
  deps.log.warn('a step needs attention', { userId: input.userId, attemptId: input.attemptId, reason, code });
  return { result: 'stuck', reason, code };
}

async function heard(
  deps: NotifyDeps,
  { userId, attemptId }: NotifyInput,
  event: { key: string; source: string; kind: string; code?: string },
): Promise<void> {
  await appendAttemptEvent(deps.db, userId, attemptId, { ...event, at: deps.now() });
}

/** Tells one target from another in records without saying what it is. */
const fingerprint = (deps: Pick<Deps, 'mac'>, target: string) =>
  deps.mac('target', target).toString('hex').slice(0, 16);

const linkTo =
  ({ publicUrl }: Pick<Deps, 'publicUrl'>, { attemptId }: Claim) =>
  ({ conversationId, seq }: AnnouncedMessage) =>
    `${publicUrl}/o/${conversationId}/${seq}?n=${attemptId}`;

const hostOf = (url: string) => new URL(url).hostname;
