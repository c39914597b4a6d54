import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { ArmedRow } from '../../db/queries/attempts.ts';

/**
 * Whether a channel may tell of a conversation. What is said of the conversation goes before what is said of the account;
 * but mail that never comes comes for no conversation.
 */
export function isOn(
  channel: Channel,
  { channels }: Pick<ArmedRow, 'channels'>,
  settings: Pick<NotificationSettings, 'channels' | 'emailFrequency'>,
): boolean {
  if (channel === 'email' && settings.emailFrequency === 'off') return false;
  return channels?.[channel] ?? settings.channels[channel];
}
