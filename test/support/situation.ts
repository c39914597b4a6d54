import { type NotificationSettings, defaultNotificationSettings } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { ArmedRow, Progress } from '../../db/queries/armed.ts';
import type { Verdict } from '../../domain/attention/decide.ts';
import type { Situation } from '../../domain/attention/situation.ts';
import type { Connection } from '../../domain/deps.ts';
import { standardLadder } from '../../platform/config-types.ts';

export const second = 1_000;
export const minute = 60 * second;
export const start = Date.parse('2026-11-24T12:00:00.000Z');
export const after = (ms: number) => new Date(start + ms);

/** A channel that has announced nothing of a message that came then. */
export const unannounced = (ms = 0): Progress => ({
  throughSeq: 0,
  last: null,
  times: 0,
  since: after(ms),
  repeats: 0,
});
/** Enough was sent until then. */
export const cap = (ms: number) => ({ reason: 'cap_user' as const, until: after(ms) });

/** A channel that has announced everything, and when; `since` where something came after that. */
export const announced = (throughSeq: number, ms: number, more: Partial<Progress> = {}): Progress => ({
  throughSeq,
  last: after(ms),
  times: 1,
  since: null,
  repeats: 0,
  ...more,
});

export const row = (overrides: Partial<ArmedRow> = {}): ArmedRow => ({
  conversationId: 'c1' as ConversationId,
  kind: 'direct',
  armedAt: after(0),
  fromSeq: 1,
  lastSeq: 1,
  lastAt: after(0),
  urgents: [],
  seenSeq: 0,
  acknowledged: true,
  muted: false,
  level: null,
  channels: null,
  push: unannounced(),
  email: unannounced(),
  sms: unannounced(),
  ...overrides,
});

/** A connection. */
export const on = (state: Connection['state'], viewing: string | null = null): Connection => ({
  state,
  deviceId: null,
  viewing: viewing as ConversationId | null,
});

export const allChannels = { ...defaultNotificationSettings, channels: { push: true, email: true, sms: true } };

/** Somebody who can be reached on every channel, with one unread message, two seconds after it came. */
export const situation = (overrides: Partial<Situation> = {}): Situation => ({
  now: after(2 * second),
  ladder: standardLadder,
  presence: [],
  account: 'active',
  settings: allChannels,
  zone: 'UTC',
  pushZone: overrides.zone ?? 'UTC',
  place: 0,
  devices: [{ pushState: 'active', pushPermission: 'granted', pushEnabled: true, hasToken: true }],
  email: 'verified',
  phone: 'verified',
  suppressed: {},
  armed: [row()],
  pushHandedOver: false,
  handedOver: false,
  held: {},
  emailFailedAt: null,
  underWay: [],
  urgentUnderWay: [],
  refused: [],
  stuck: [],
  stuckPushes: [],
  struckOff: [],
  capped: {},
  closed: false,
  openedAt: after(0),
  summary: false,
  calledOffFor: null,
  ...overrides,
});

/** It is noon, and the person wants to be left alone until one. */
export const quiet = (more: Partial<NotificationSettings> = {}, email = false): NotificationSettings => ({
  ...allChannels,
  quietHours: { windows: [{ days: ['tue'], from: '11:00', until: '13:00' }], email },
  ...more,
});
export const hour = 60 * minute;
/** From Sunday noon until Friday at four in the morning, which is 64 hours from now, mail included. */
export const daysOff = (more: Partial<NotificationSettings> = {}) => {
  const all = { from: '00:00', until: '00:00' };
  const [first, last] = [
    { days: ['sun' as const], from: '12:00', until: '00:00' },
    { days: ['fri' as const], from: '00:00', until: '04:00' },
  ];
  return quiet({
    quietHours: { windows: [first, { days: ['mon', 'tue', 'wed', 'thu'], ...all }, last], email: true },
    ...more,
  });
};
export const undisturbedFor = (hours: number) => ({
  ...allChannels,
  doNotDisturbUntil: after(hours * hour).toISOString(),
});
export const undisturbed = undisturbedFor(1);
/** By the clock of Kiritimati it is two in the morning. */
export const farEast = 'Pacific/Kiritimati';
export const urgents = [{ seq: 1, at: after(0) }];
export const urgentRow = row({ urgents });
/** The first message, of which an operator struck the step off. */
export const struckOff = (channel: Channel) => ({
  ...{ channel, conversationId: 'c1' as ConversationId },
  ...{ fromSeq: 1, toSeq: 1 },
});
/** It was pushed as often as it may be. */
export const repeated = { urgents, push: announced(1, 15 * minute, { repeats: 3 }) };

/** Noon in London, where mail comes gathered. */
export const gatheredMail = (emailFrequency: 'hourly' | 'daily', more: Partial<NotificationSettings> = {}) => ({
  ...allChannels,
  channels: { push: false, email: true, sms: false },
  emailFrequency,
  ...more,
});
export const hourlyMail = gatheredMail('hourly');
export const dailyMail = gatheredMail('daily');
export const toldByMail = { throughSeq: 1, last: after(0), times: 1, repeats: 0, since: null };

export const pushed = { push: announced(1, 2 * second) };
/** A message came after the push, ten seconds after the first. */
export const pushedAgain = { push: announced(1, 2 * second, { since: after(10 * second) }) };
export const gone: Progress = { throughSeq: 0, last: null, times: 0, since: null, repeats: 0 };
export const mailed = { ...pushed, email: announced(1, 10 * minute) };

/** A verdict in a line: `push`, `wait push 1500`, `finished read`. */
export const tell = (verdict: Verdict): string => {
  switch (verdict.kind) {
    case 'notify':
      return [verdict.channel, ...verdict.conversationIds, ...(verdict.alert ? [verdict.alert] : [])].join(' ');
    case 'wait':
      return `wait ${verdict.next} ${verdict.until.getTime() - start} ${verdict.why}`;
    case 'finished':
      return `finished ${verdict.outcome}`;
  }
};
