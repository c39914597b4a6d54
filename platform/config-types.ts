import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type LimiterName, type RateLimit, rateLimits } from '../contracts/rate-limits.ts';
import { type Channel, channels } from '../contracts/workflows/names.ts';
import type { Caps, Ladder, RevocationTimes } from '../domain/deps.ts';

/** Milliseconds. */
export type Duration = number;

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1.5s`, `20m`, `250ms` as milliseconds; undefined for anything else. */
export function duration(text: string): Duration | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unit = unitMs[match?.[2] ?? ''];
  return match && unit ? Math.round(Number(match[1]) * unit) : undefined;
}

export const port = z
  .string()
  .regex(/^\d{1,5}$/, { message: 'must be a port number' })
  .transform(Number)
  .pipe(z.int().min(0).max(65_535));

export const listOf = (item: z.ZodType<string, string>) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item));

/**
 * Path of a PEM file, and what stands in it. It is read with the settings: a file that is not there is a fault of theirs,
 * and not a service that seems to be away.
 */
export const pemFile = z.string().transform((path, context) => {
  const text = textOf(path);
  if (text?.includes('-----BEGIN ')) return text;
  context.addIssue({ code: 'custom', message: 'must be the path of a PEM file that can be read' });
  return z.NEVER;
});

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Keys with their ids as JSON; `valid` judges one key. The first is used, all are understood. */
export const keyring = (valid: (key: string) => boolean) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(
      z
        .array(z.strictObject({ kid: z.string().regex(/^[\w-]{1,40}$/), key: z.string() }))
        .min(1)
        .refine((keys) => keys.every(({ key }) => valid(key)), { message: 'holds a key of the wrong kind' })
        .refine((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length, {
          message: 'names a key id twice',
        }),
    );
export type Keyring = readonly { kid: string; key: string }[];

export interface Pepper {
  /** Null where it stands alone, without an id. */
  kid: string | null;
  key: string;
}
export type Peppers = readonly [Pepper, ...Pepper[]];

const pepperLength = 32;
const pepperRing = keyring((key) => key.length >= pepperLength);

/** One pepper, or a ring of them as JSON. */
export const peppersSetting = z.string().transform((text, context): Peppers => {
  if (!text.startsWith('[')) {
    if (text.length < pepperLength) context.addIssue({ code: 'custom', message: 'is shorter than 32 characters' });
    return [{ kid: null, key: text }];
  }
  const parsed = pepperRing.safeParse(text);
  for (const { message } of parsed.error?.issues ?? []) context.addIssue({ code: 'custom', message });
  const [first, ...others] = parsed.data ?? [];
  return first ? [first, ...others] : z.NEVER;
});

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** The steps of an ordinary deployment. */
export const standardLadder: Ladder = {
  pushMs: 1.5 * second,
  pushPresentMs: 20 * second,
  pushFocusedMs: 20 * second,
  pushIdleMs: 3 * second,
  acknowledgeMs: 3 * second,
  realertGapMs: 30 * second,
  sound: { first: 3, gapMs: 5 * minute, roomGapMs: 15 * minute },
  emailMs: 10 * minute,
  emailWithoutPushMs: 2 * minute,
  smsMs: 30 * minute,
  smsAfterFailureMs: 2 * minute,
  pushUntilMs: 24 * hour,
  emailUntilMs: 72 * hour,
  smsUntilMs: 4 * hour,
  urgent: { pushMs: 0, repeatMs: 5 * minute, repeats: 3, smsMs: 5 * minute, untilMs: hour },
  smsNight: { from: '21:00', until: '08:00' },
  releaseJitterMs: 2 * minute,
  digestJitterMs: 10 * minute,
  emailSettleMs: 2 * minute,
  smsSettleMs: minute,
  // FCM's guide to scale asks for ten seconds before a first retry.
  retry: { firstMs: 10 * second, maxMs: 5 * minute, giveUpMs: 30 * minute, heartbeatMs: 20 * second },
};

const ladderNames: Record<string, (ladder: Ladder, ms: number) => void> = {
  push: (ladder, ms) => (ladder.pushMs = ms),
  'push-present': (ladder, ms) => (ladder.pushPresentMs = ms),
  'push-focused': (ladder, ms) => (ladder.pushFocusedMs = ms),
  'push-idle': (ladder, ms) => (ladder.pushIdleMs = ms),
  acknowledge: (ladder, ms) => (ladder.acknowledgeMs = ms),
  'realert-gap': (ladder, ms) => (ladder.realertGapMs = ms),
  'sound-gap': (ladder, ms) => (ladder.sound.gapMs = ms),
  'room-sound-gap': (ladder, ms) => (ladder.sound.roomGapMs = ms),
  email: (ladder, ms) => (ladder.emailMs = ms),
  'email-without-push': (ladder, ms) => (ladder.emailWithoutPushMs = ms),
  'email-settle': (ladder, ms) => (ladder.emailSettleMs = ms),
  'sms-settle': (ladder, ms) => (ladder.smsSettleMs = ms),
  sms: (ladder, ms) => (ladder.smsMs = ms),
  'sms-after-failure': (ladder, ms) => (ladder.smsAfterFailureMs = ms),
  'push-until': (ladder, ms) => (ladder.pushUntilMs = ms),
  'email-until': (ladder, ms) => (ladder.emailUntilMs = ms),
  'sms-until': (ladder, ms) => (ladder.smsUntilMs = ms),
  'urgent-push': (ladder, ms) => (ladder.urgent.pushMs = ms),
  'urgent-repeat': (ladder, ms) => (ladder.urgent.repeatMs = ms),
  'urgent-sms': (ladder, ms) => (ladder.urgent.smsMs = ms),
  'urgent-until': (ladder, ms) => (ladder.urgent.untilMs = ms),
  'release-jitter': (ladder, ms) => (ladder.releaseJitterMs = ms),
  'digest-jitter': (ladder, ms) => (ladder.digestJitterMs = ms),
  'retry-first': (ladder, ms) => (ladder.retry.firstMs = ms),
  'retry-max': (ladder, ms) => (ladder.retry.maxMs = ms),
  heartbeat: (ladder, ms) => (ladder.retry.heartbeatMs = ms),
  'give-up': (ladder, ms) => (ladder.retry.giveUpMs = ms),
};

function nightOf(value: string): Ladder['smsNight'] | undefined {
  if (value === 'off') return null;
  const [, from, until] = /^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)$/.exec(value) ?? [];
  return from && until && from !== until ? { from, until } : undefined;
}

/** `push=1.5s email=20s` over the standard ladder. */
export const ladderSetting = z.string().transform((text, context): Ladder => {
  const ladder = structuredClone(standardLadder);
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    const [name = '', value = ''] = part.split('=');
    const ms = duration(value);
    const set = ladderNames[name];
    const night = name === 'sms-night' ? nightOf(value) : undefined;
    if (night !== undefined) ladder.smsNight = night;
    else if (set && ms !== undefined) set(ladder, ms);
    else
      context.addIssue({
        code: 'custom',
        message: `does not understand "${part}"; steps are ${Object.keys(ladderNames).join(', ')}, times such as 1.5s or 10m; sms-night is off or such as 21:00-08:00`,
      });
  }
  return ladder;
});

/** Calls a second that a provider is sent at most, by all workers together. */
export type QueueRates = Readonly<Record<Channel, number>>;

/**
 * Below what providers take from an ordinary account, so that a backlog after an outage is worked off without refusals.
 * FCM: 600,000 a minute for a project (firebase.google.com/docs/cloud-messaging/throttling-and-quotas). Twilio: a short
 * code sends a hundred a second, a long number one, and what is more waits in a queue of theirs, where nobody sees it.
 */
export const standardRates: QueueRates = { push: 2_000, email: 200, sms: 20 };

/** `push=500 sms=1` over the standard rates. */
export const ratesSetting = z.string().transform((text, context): QueueRates => {
  const rates = { ...standardRates };
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    const [, name, value] = /^([a-z]+)=(\d{1,6}(?:\.\d{1,2})?)$/.exec(part) ?? [];
    const channel = channels.find((one) => one === name);
    if (channel && Number(value) > 0) rates[channel] = Number(value);
    else
      context.addIssue({
        code: 'custom',
        message: `does not understand "${part}"; rates are ${channels.join(', ')}, each a number of calls a second above 0`,
      });
  }
  return rates;
});

/** How often ended sessions are read, and after how long without that a node serves nobody. */
export const standardWatch: RevocationTimes = { reloadMs: 2 * second, fenceMs: minute };

const watchNames: Record<string, keyof RevocationTimes> = { reload: 'reloadMs', fence: 'fenceMs' };

/** `reload=1s fence=30s` over the standard watch. A minute is promised: a deployment may be stricter, and no laxer. */
export const watchSetting = z.string().transform((text, context): RevocationTimes => {
  const watch = { ...standardWatch };
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    const [name = '', value = ''] = part.split('=');
    const [known, ms] = [watchNames[name], duration(value)];
    if (known && ms !== undefined) watch[known] = ms;
    else refuse(`does not understand "${part}"; it knows reload and fence, each a time such as 2s`);
  }
  const { reloadMs, fenceMs } = watch;
  if (reloadMs < 100 || reloadMs > standardWatch.reloadMs) refuse('must read every 100ms to 2s');
  if (fenceMs < 2 * reloadMs || fenceMs > standardWatch.fenceMs)
    refuse('must fence after two readings at the earliest, and 60s at the latest');
  return watch;
});

/** What an ordinary deployment sends one person at most. */
export const standardCaps: Caps = {
  alertsPer10Minutes: 30,
  alertsPerDay: 200,
  emailsPerHour: 4,
  emailsPerDay: 20,
  textsPerHour: 3,
  textsPerDay: 5,
  urgentAlertsPerDay: 5,
  urgentTextsPerDay: 2,
  orgTextsPerDay: null,
};

const capNames: Record<string, keyof Caps> = {
  'push-10m': 'alertsPer10Minutes',
  'push-day': 'alertsPerDay',
  'email-hour': 'emailsPerHour',
  'email-day': 'emailsPerDay',
  'sms-hour': 'textsPerHour',
  'sms-day': 'textsPerDay',
  'urgent-push-day': 'urgentAlertsPerDay',
  'urgent-sms-day': 'urgentTextsPerDay',
  'org-sms-day': 'orgTextsPerDay',
};

/** `email-hour=2 org-sms-day=1000` over the standard caps. */
export const capsSetting = z.string().transform((text, context): Caps => {
  const caps = { ...standardCaps };
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    const [, name = '', value = ''] = /^([a-z0-9-]+)=(\d{1,9})$/.exec(part) ?? [];
    const cap = capNames[name];
    // Of nothing there is no next moment at which it comes: whoever wants none switches the channel off.
    if (cap && (Number(value) > 0 || cap.startsWith('urgent') || cap.startsWith('org'))) caps[cap] = Number(value);
    else
      context.addIssue({
        code: 'custom',
        message: `does not understand "${part}"; caps are ${Object.keys(capNames).join(', ')}, each a whole number, and at least 1 but for those of urgent messages and the organisation`,
      });
  }
  return caps;
});

/** The rate limits of a deployment: null where one is switched off. */
export interface RateLimitsSetting {
  limits: Readonly<Record<LimiterName, RateLimit | null>>;
  /** Nodes that serve people, as far as is known: while Redis is away each admits its part. */
  nodes: number;
}

const limiterNames = Object.keys(rateLimits) as LimiterName[];

/** `send=50/2s login=off nodes=4` over the standard limits; `all` means every one, and what stands behind it says otherwise. */
export const rateLimitsSetting = z.string().transform((text, context): RateLimitsSetting => {
  const limits: Record<LimiterName, RateLimit | null> = { ...rateLimits };
  let nodes = 2;
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    const [, name = '', value = ''] = /^([a-z-]+)=(\S+)$/.exec(part) ?? [];
    const named = name === 'all' ? limiterNames : limiterNames.filter((one) => one === name);
    const budget = budgetOf(value);
    if (name === 'nodes' && /^[1-9]\d{0,3}$/.test(value)) nodes = Number(value);
    else if (named.length > 0 && budget !== undefined)
      for (const one of named) limits[one] = budget && { ...rateLimits[one], ...budget };
    else
      context.addIssue({
        code: 'custom',
        message: `does not understand "${part}"; limits are all, ${limiterNames.join(', ')}, each off or such as 20/2s (at least 1, in whole seconds); nodes is a number`,
      });
  }
  return { limits, nodes };
});

/** `20/2s`, or null for `off`. Redis keeps whole seconds. */
function budgetOf(value: string): Pick<RateLimit, 'points' | 'seconds'> | null | undefined {
  if (value === 'off') return null;
  const [, points = '', time = ''] = /^(\d{1,9})\/(\S+)$/.exec(value) ?? [];
  const seconds = (duration(time) ?? 0) / 1_000;
  return Number(points) > 0 && seconds >= 1 && Number.isInteger(seconds)
    ? { points: Number(points), seconds }
    : undefined;
}
