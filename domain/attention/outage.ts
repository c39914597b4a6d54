import type { Channel } from '../../contracts/workflows/names.ts';
import type { ArmedRow } from '../../db/queries/armed.ts';
import type { DeviceRow } from '../../db/queries/devices.ts';
import type { CircuitName, Held } from '../deps.ts';
import type { Situation, StepResult } from './situation.ts';

/** Milliseconds that push must have been out of order before mail stands in for it. */
const standInMs = 300_000;

/** What each channel of somebody waits for. Push waits when each of their devices does. */
export function heldChannels(
  held: ReadonlyMap<CircuitName, Held>,
  devices: readonly DeviceRow[],
): Partial<Record<Channel, Held>> {
  const pushes = devices.filter(canPush).map(({ platform }) => held.get(`fcm:${platform}`));
  const waiting = pushes.filter((one) => one !== undefined);
  const soonest = waiting.toSorted((a, b) => dueAt(a) - dueAt(b))[0];
  const [email, sms] = [held.get('sendgrid'), held.get('twilio')];
  return {
    ...(soonest && waiting.length === pushes.length ? { push: soonest } : {}),
    ...(email ? { email } : {}),
    ...(sms ? { sms } : {}),
  };
}

const dueAt = ({ mayAsk, until }: Held) => (mayAsk ? 0 : until.getTime());

export const canPush = ({ pushToken, pushState, pushPermission, pushEnabled }: DeviceRow): boolean =>
  pushToken !== null && pushState === 'active' && pushPermission !== 'denied' && pushEnabled;

/**
 * A step that is due while its provider is out of order waits. So does a text that would only stand in for a push: a
 * thousand pushes that cannot be sent must not become a thousand texts. An urgent one goes.
 */
export function holdBack(
  channel: Channel,
  urgent: boolean,
  step: StepResult,
  { held, pushHandedOver }: Pick<Situation, 'held' | 'pushHandedOver'>,
): StepResult {
  if (step.outcome !== 'send') return step;
  const standsIn = channel === 'sms' && !urgent && !pushHandedOver;
  const own = held[channel]?.mayAsk ? undefined : held[channel];
  const out = own ?? (standsIn ? held.push : undefined);
  return out ? { outcome: 'deferred', reason: out.why, until: out.until } : step;
}

/**
 * After how long a mail comes while push is out of order: in its own time at first, and as without push once the outage has
 * lasted. Nothing where push is in order, or told of it before.
 */
export function delayWhileOut(
  { email: { since } }: Pick<ArmedRow, 'email'>,
  { held: { push }, pushHandedOver, ladder }: Pick<Situation, 'held' | 'pushHandedOver' | 'ladder'>,
): number | undefined {
  if (!push || pushHandedOver || since === null) return undefined;
  if (push.why === 'provider_recovering') return ladder.emailMs;
  const standsIn = push.since.getTime() + standInMs - since.getTime();
  return Math.min(ladder.emailMs, Math.max(ladder.emailWithoutPushMs, standsIn));
}
