import { z } from 'zod';

/** Which messages of a conversation call for a person's attention. */
export const Level = z.enum(['all', 'mentions', 'nothing']);
export type Level = z.infer<typeof Level>;
/** How much of a message a notification shows. */
export const Preview = z.enum(['full', 'sender', 'generic']);
export type Preview = z.infer<typeof Preview>;

export const NotificationSettings = z
  .strictObject({
    level: Level,
    channels: z.strictObject({ push: z.boolean(), email: z.boolean(), sms: z.boolean() }),
    preview: Preview,
  })
  .meta({ id: 'NotificationSettings' });
export type NotificationSettings = z.infer<typeof NotificationSettings>;

/** Push and mail reach a person from the first day; SMS costs money and patience, so it is asked for (opt-in). */
export const defaultNotificationSettings: NotificationSettings = {
  level: 'all',
  channels: { push: true, email: true, sms: false },
  preview: 'sender',
};

export const NotificationSettingsPatch = z
  .strictObject({
    level: Level.optional(),
    channels: z
      .strictObject({ push: z.boolean().optional(), email: z.boolean().optional(), sms: z.boolean().optional() })
      .optional(),
    preview: Preview.optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, { message: 'names no setting to change' })
  .meta({ id: 'NotificationSettingsPatch' });
export type NotificationSettingsPatch = z.infer<typeof NotificationSettingsPatch>;
