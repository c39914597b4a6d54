import type { NotifyResult } from '../../contracts/workflows/escalate-unread.ts';
import { acceptedKeys } from '../../db/queries/attempt-reports.ts';
import { markNotTaken } from '../../db/queries/attempts.ts';
import { type DeviceRow, devicesOf, markPushTokenRefused } from '../../db/queries/devices.ts';
import { type Badge, nextBadge, recordShown } from '../../db/queries/screens.ts';
import type { Deps, Held, SendOutcome } from '../deps.ts';
import {
  type Delivery,
  type NotifyDeps,
  type Refusal,
  accept,
  admit,
  beginCall,
  defer,
  fail,
  heard,
  mayYetSucceed,
  settle,
} from './delivery.ts';
import { activeDevices } from './presence.ts';
import { canPush } from './outage.ts';
import { toPush } from './push-message.ts';

/**
 * To every eligible device but those that something is done with right now, which have shown it themselves: a desktop left
 * open at work must not swallow the phone's push. While one of them may yet be reached the attempt is tried again; those
 * that have taken it are left alone then.
 */
export async function deliverPush(deps: NotifyDeps, delivery: Delivery): Promise<NotifyResult> {
  const { userId, attemptId } = delivery.input;
  const done = await acceptedKeys(deps.db, userId, attemptId);
  const eligible = (await devicesOf(deps.db, userId)).filter(canPush);
  const devices = (await toTell(deps, delivery, eligible)).filter((device) => !done.has(keyOf(device)));
  if (devices.length === 0)
    return done.size > 0 ? accept(deps, delivery) : fail(deps, delivery, 'recipient_dead', 'no_device');
  const { open, held, probe } = await waysTo(deps, delivery, devices);
  if (open.length === 0 && held) return defer(deps, delivery, 'push', held.until);
  const over = await beginCall(deps, delivery);
  if (over) return over;
  const deviceIds = devices.map(({ id }) => id);
  const badge = await deps.db.transaction(async (tx) => {
    const next = await nextBadge(tx, userId);
    await recordShown(tx, userId, { attemptId, covers: delivery.claim.covers, deviceIds });
    return next;
  });
  const outcomes: SendOutcome[] = [];
  for (const device of open) outcomes.push(await pushTo(deps, delivery, device, badge));
  const pending = outcomes.filter(mayYetSucceed);
  if (pending.length > 0) return settle(deps, { ...delivery, probe }, worstOf(pending));
  if (held) return afterKnownOutcome(deps, delivery, held);
  const reached = outcomes.find((outcome) => outcome.class === 'ok');
  if (reached || done.size > 0) return accept(deps, delivery, reached?.providerId);
  return settle(deps, { ...delivery, probe }, worstOf(outcomes));
}

/** Which devices can be reached now; `held` where the way to some other is out of order, `probe` where a call asks for that. */
async function waysTo(deps: NotifyDeps, { input }: Delivery, devices: readonly DeviceRow[]) {
  const ways = new Map<string, Awaited<ReturnType<typeof admit>>>();
  for (const { platform } of devices) {
    if (!ways.has(platform)) ways.set(platform, await admit(deps, input, `fcm:${platform}`));
  }
  const isOpen = ({ platform }: DeviceRow) => typeof ways.get(platform) === 'string';
  const held = [...ways.values()].filter((way) => typeof way === 'object')[0];
  return { open: devices.filter(isOpen), held, probe: [...ways.values()].includes('probe') };
}

/** The others have taken it, or never will: only those are tried again whose way was out of order. */
async function afterKnownOutcome(deps: NotifyDeps, delivery: Delivery, { until }: Held): Promise<NotifyResult> {
  const { userId, attemptId } = delivery.input;
  await markNotTaken(deps.db, userId, attemptId);
  return defer(deps, delivery, 'push', until);
}

/** What is urgent goes to all of them, and where there is no other device it is told to the one that there is. */
async function toTell(deps: NotifyDeps, { input, claim }: Delivery, eligible: DeviceRow[]): Promise<DeviceRow[]> {
  if (claim.urgent) return eligible;
  const active = activeDevices(await deps.presence(input.userId));
  const others = eligible.filter(({ id }) => !active.has(id));
  return others.length > 0 ? others : eligible;
}

const keyOf = ({ id }: DeviceRow) => `device:${id}`;

async function pushTo(deps: NotifyDeps, delivery: Delivery, device: DeviceRow, badge: Badge): Promise<SendOutcome> {
  const { input, claim } = delivery;
  const sentAt = deps.now();
  const token = device.pushToken as string;
  const content = {
    ...delivery,
    attemptId: input.attemptId,
    urgent: claim.urgent,
    sound: claim.sound,
    pushZone: claim.pushZone,
  };
  const outcome = await deps.senders.push.send(toPush(deps, content, { platform: device.platform, token }, badge));
  if (outcome.class === 'ok') {
    await heard(deps, input, { key: keyOf(device), source: 'fcm', kind: 'accepted' });
    return outcome;
  }
  const key = `${fingerprint(deps, token)}:${claim.tries}:${outcome.code}`;
  await heard(deps, input, { key, source: 'fcm', kind: outcome.class, code: outcome.code });
  if (outcome.class === 'recipient_dead') await markPushTokenRefused(deps.db, input.userId, token, sentAt);
  return outcome;
}

const byWeight: readonly Refusal['class'][] = [
  'throttled',
  'transient',
  'ambiguous',
  'config_outage',
  'content_rejected',
  'recipient_soft',
  'recipient_opted_out',
  'recipient_dead',
];

/** The outcome that says most about what to do: what a retry could still mend comes first. */
function worstOf(outcomes: readonly SendOutcome[]): Refusal {
  const refusals = outcomes.filter((outcome): outcome is Refusal => outcome.class !== 'ok');
  return refusals.sort((a, b) => byWeight.indexOf(a.class) - byWeight.indexOf(b.class))[0] as Refusal;
}

/** Tells one target from another in records without saying what it is. */
const fingerprint = (deps: Pick<Deps, 'mac'>, target: string) =>
  deps.mac('target', target).toString('hex').slice(0, 16);
