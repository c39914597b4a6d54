import { defaultNotificationSettings } from '../../contracts/entities/index.ts';
import type { NotifyInput, NotifyResult } from '../../contracts/workflows/escalate-unread.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import { announcedConversations } from '../../db/queries/announcements.ts';
import { mailedConversations } from '../../db/queries/mailed.ts';
import { notificationSettingsOf } from '../../db/queries/notification-settings.ts';
import { userById } from '../../db/queries/users.ts';
import { type Claim, type NotifyRequest, claimAttempt } from './claim.ts';
import { type Delivery, type NotifyDeps, drop } from './delivery.ts';
import { deliverEmail } from './email.ts';
import { deliverPush } from './push.ts';
import { deliverSms } from './sms.ts';

/**
 * One step of an episode on one channel: claim, render from what the database says now, call the provider, write down
 * what came of it. A refusal that no retry mends is an answer; a provider that fails is thrown as `ProviderFailing`, and
 * the same attempt is tried again.
 */
export async function notify(deps: NotifyDeps, channel: Channel, input: NotifyRequest): Promise<NotifyResult> {
  const claim = await claimAttempt(deps, channel, input);
  if ('result' in claim) return claim;
  const delivery = await prepare(deps, channel, input, claim);
  if (!delivery) return drop(deps, { input, claim }, 'all_content_gone');
  const result = await deliver[channel](deps, delivery);
  if (result.result === 'sent') await measure(deps, channel, delivery);
  return result;
}

/** Of a message that was read while the provider was asked, the person is told all the same: how often says this. */
async function measure(deps: NotifyDeps, channel: Channel, { input, claim, told }: Delivery): Promise<void> {
  const oldest = Math.min(...told.map(({ since }) => since.getTime()));
  const unread = await announcedConversations(deps.db, input.userId, claim.covers).catch(() => told);
  deps.meter.announced(channel, { waitedMs: deps.now().getTime() - oldest, readMeanwhile: unread.length === 0 });
}

async function prepare(
  deps: NotifyDeps,
  channel: Channel,
  input: NotifyInput,
  claim: Claim,
): Promise<Delivery | undefined> {
  const { userId } = input;
  const [user, stored, content] = await Promise.all([
    userById(deps.db, userId),
    notificationSettingsOf(deps.db, userId),
    contentOf(deps, channel, userId, claim),
  ]);
  if (!user || content.told.length + content.mail.length === 0) return undefined;
  return { user, settings: stored?.settings ?? defaultNotificationSettings, ...content, claim, input };
}

/** A mail shows some of many messages, and what stood before them; the others only say how many there are. */
async function contentOf(
  { db }: NotifyDeps,
  channel: Channel,
  userId: UserId,
  { covers, kind }: Claim,
): Promise<Pick<Delivery, 'told' | 'mail'>> {
  if (channel !== 'email') return { told: await announcedConversations(db, userId, covers), mail: [] };
  return { told: [], mail: await mailedConversations(db, userId, covers, { summary: kind === 'summary' }) };
}

const deliver: Record<Channel, (deps: NotifyDeps, delivery: Delivery) => Promise<NotifyResult>> = {
  push: deliverPush,
  email: deliverEmail,
  sms: deliverSms,
};
