import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { ArmedRow } from '../../db/queries/armed.ts';

/**
 * Whether a channel may tell of a conversation at all. What is said of the conversation goes before what is said of the
 * account; but mail that never comes comes for no conversation. Whoever wants no texts may want those of urgent messages.
 */
export function isOn(
  channel: Channel,
  { channels }: Pick<ArmedRow, 'channels'>,
  settings: Pick<NotificationSettings, 'channels' | 'emailFrequency' | 'urgentSms'>,
): boolean {
  if (channel === 'email' && settings.emailFrequency === 'off') return false;
  const urgentAlone = channel === 'sms' && settings.urgentSms;
  return channels?.[channel] ?? (settings.channels[channel] || urgentAlone);
}

/** Whether it tells of everything, and not of what is urgent alone. */
export const isOnForAll = (
  channel: Channel,
  { channels }: Pick<ArmedRow, 'channels'>,
  settings: Pick<NotificationSettings, 'channels'>,
): boolean => channels?.[channel] ?? settings.channels[channel];
