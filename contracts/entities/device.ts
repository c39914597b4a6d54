import { z } from 'zod';
import { DeviceId } from '../ids.ts';
import { limits } from '../limits.ts';
import { Instant, Locale, TimeZone, line } from './common.ts';

export const Platform = z.enum(['ios', 'android', 'web', 'desktop']);
/** What the app last said about its permission to show notifications. */
export const PushPermission = z.enum(['granted', 'denied', 'unknown']);

export const DeviceInput = z
  .strictObject({
    platform: Platform,
    pushToken: z
      .string()
      .min(1)
      .max(limits.pushTokenBytes)
      .regex(/^[\x21-\x7e]+$/, { message: 'must be printable ASCII' })
      .nullish(),
    appVersion: line(50).optional(),
    locale: Locale.optional(),
    timeZone: TimeZone.optional(),
    pushPermission: PushPermission.optional(),
    /** Whether the person wants this device to be pushed to; so it is until it is said otherwise. */
    pushEnabled: z.boolean().optional(),
  })
  .meta({ id: 'DeviceInput' });
export type DeviceInput = z.infer<typeof DeviceInput>;

/** A device in its owner's list. The push token is write-only. */
export const Device = z
  .strictObject({
    id: DeviceId,
    platform: Platform,
    hasPushToken: z.boolean(),
    pushState: z.enum(['active', 'suspect', 'dead']),
    pushPermission: PushPermission,
    pushEnabled: z.boolean(),
    appVersion: z.string().nullable(),
    locale: Locale.nullable(),
    timeZone: TimeZone.nullable(),
    lastSeenAt: Instant,
  })
  .meta({ id: 'Device' });
export type Device = z.infer<typeof Device>;
