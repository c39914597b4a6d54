import { z } from 'zod';
import { UserId } from '../ids.ts';
import { Instant } from './common.ts';

/**
 * `active` on at least one device, `idle` on all that are connected, `offline`; `unknown` while nobody can say, and for
 * whoever is not to be seen any more.
 */
export const PresenceState = z.enum(['active', 'idle', 'offline', 'unknown']);

export const PersonPresence = z
  .strictObject({ userId: UserId, state: PresenceState, lastSeenAt: Instant.nullable() })
  .meta({ id: 'PersonPresence' });
export type PersonPresence = z.infer<typeof PersonPresence>;
