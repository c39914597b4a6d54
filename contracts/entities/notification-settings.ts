import { z } from 'zod';
import { limits } from '../limits.ts';
import { Instant } from './common.ts';

/** Which messages of a conversation call for a person's attention. */
export const Level = z.enum(['all', 'mentions', 'nothing']);
export type Level = z.infer<typeof Level>;
/** How much of a message a notification shows. */
export const Preview = z.enum(['full', 'sender', 'generic']);
export type Preview = z.infer<typeof Preview>;

const Weekday = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);
/** By the person's own clock, in the zone of their account. */
export const LocalTime = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { message: 'must be a time of day, such as 22:00' })
  .meta({ description: 'Time of day', examples: ['22:00'] });
/** A window that ends no later than it begins crosses midnight, and belongs to the day on which it begins. */
export const QuietWindow = z
  .strictObject({ days: z.array(Weekday).min(1).max(7), from: LocalTime, until: LocalTime })
  .meta({ id: 'QuietWindow' });
export type QuietWindow = z.infer<typeof QuietWindow>;

/** When a person wants to be left alone: push and SMS wait for the end, and the clock of what follows stands still. */
export const QuietHours = z
  .strictObject({
    windows: z
      .array(QuietWindow)
      .min(1)
      .max(limits.quietWindows)
      .refine(leavesTime, { message: 'cover the whole week; switch the channel off instead' }),
    /** Whether mail waits, too. It makes no noise, so it does not unless it is asked to. */
    email: z.boolean(),
  })
  .meta({ id: 'QuietHours' });
export type QuietHours = z.infer<typeof QuietHours>;

const minutesOfDay = 1_440;
const dayNames = Weekday.options;

/** By the clock, so that a night in which it is changed makes no difference. */
function leavesTime(windows: readonly QuietWindow[]): boolean {
  const quiet = new Set<number>();
  for (const { days, from, until } of windows) {
    const [start, end] = [minuteOf(from), minuteOf(until)];
    const length = end > start ? end - start : end - start + minutesOfDay;
    for (const day of days) {
      const first = dayNames.indexOf(day) * minutesOfDay + start;
      for (let minute = 0; minute < length; minute += 1) quiet.add((first + minute) % (7 * minutesOfDay));
    }
  }
  return quiet.size < 7 * minutesOfDay;
}

function minuteOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
}

/** The channels of one conversation: on, off, or as in the account's settings (null). */
export const ConversationChannels = z
  .strictObject({ push: z.boolean().nullable(), email: z.boolean().nullable(), sms: z.boolean().nullable() })
  .meta({ id: 'ConversationChannels' });
export type ConversationChannels = z.infer<typeof ConversationChannels>;

/** Whose urgent messages come through while a person wants to be left alone: of all, of direct conversations, of none. */
export const UrgentThrough = z.enum(['everyone', 'direct', 'nobody']);

const graceSeconds = z.int().min(0).max(limits.graceSeconds);
/** When mail tells of what is unread: by the ladder's own clock, gathered once an hour or once a day, or never. */
export const EmailFrequency = z.enum(['immediate', 'hourly', 'daily', 'off']);
export type EmailFrequency = z.infer<typeof EmailFrequency>;

export const NotificationSettings = z
  .strictObject({
    level: Level,
    /** Which kinds of mentions count as such: by name, of everyone, of whoever is here. */
    mentions: z.strictObject({ direct: z.boolean(), everyone: z.boolean(), here: z.boolean() }),
    channels: z.strictObject({ push: z.boolean(), email: z.boolean(), sms: z.boolean() }),
    preview: Preview,
    /** By the clock of the account's time zone. */
    quietHours: QuietHours.nullable(),
    /** Until then as in quiet hours. */
    doNotDisturbUntil: Instant.nullable(),
    urgentThrough: UrgentThrough,
    /** Texts of what is urgent, and soon; also where other texts are off. */
    urgentSms: z.boolean(),
    /** Seconds to read something before it is pushed while I am active on a device; null for the deployment’s own time. */
    graceSeconds: graceSeconds.nullable(),
    emailFrequency: EmailFrequency,
    /** When a daily mail comes, by the clock of the account's time zone. */
    emailDigestAt: LocalTime,
    /** Whether who has not been here for a week is mailed once a week what waits. */
    weeklySummary: z.boolean(),
  })
  .meta({ id: 'NotificationSettings' });
export type NotificationSettings = z.infer<typeof NotificationSettings>;

/** Push and mail reach a person from the first day; SMS costs money and patience, so it is asked for (opt-in). */
export const defaultNotificationSettings: NotificationSettings = {
  level: 'all',
  mentions: { direct: true, everyone: true, here: true },
  channels: { push: true, email: true, sms: false },
  preview: 'sender',
  quietHours: null,
  doNotDisturbUntil: null,
  urgentThrough: 'direct',
  urgentSms: false,
  graceSeconds: null,
  emailFrequency: 'immediate',
  emailDigestAt: '08:00',
  weeklySummary: true,
};

export const NotificationSettingsPatch = z
  .strictObject({
    level: Level.optional(),
    mentions: z
      .strictObject({ direct: z.boolean().optional(), everyone: z.boolean().optional(), here: z.boolean().optional() })
      .optional(),
    channels: z
      .strictObject({ push: z.boolean().optional(), email: z.boolean().optional(), sms: z.boolean().optional() })
      .optional(),
    preview: Preview.optional(),
    quietHours: QuietHours.nullable().optional(),
    doNotDisturbUntil: Instant.nullable().optional(),
    urgentThrough: UrgentThrough.optional(),
    urgentSms: z.boolean().optional(),
    graceSeconds: graceSeconds.nullable().optional(),
    emailFrequency: EmailFrequency.optional(),
    emailDigestAt: LocalTime.optional(),
    weeklySummary: z.boolean().optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, { message: 'names no setting to change' })
  .meta({ id: 'NotificationSettingsPatch' });
export type NotificationSettingsPatch = z.infer<typeof NotificationSettingsPatch>;

/** Why nothing is sent to the person's address or number, whatever their settings say. */
export const Suppression = z
  .strictObject({
    channel: z.enum(['email', 'sms']),
    /** `unsubscribed` by a mail's own link, `opted_out` by a text's answer; the others as the provider reported. */
    cause: z.enum(['unsubscribed', 'complaint', 'hard_bounce', 'soft_bounces', 'opted_out', 'invalid']),
    since: Instant,
    until: Instant.nullable(),
  })
  .meta({ id: 'Suppression' });
export type Suppression = z.infer<typeof Suppression>;
