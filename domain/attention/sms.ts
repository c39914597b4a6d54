import type { NotifyResult } from '../../contracts/workflows/escalate-unread.ts';
import { ProviderFailing } from '../errors.ts';
import {
  type Delivery,
  type NotifyDeps,
  accept,
  admit,
  beginCall,
  answer,
  defer,
  fail,
  lastUse,
  secondsLeft,
  stick,
} from './delivery.ts';
import { wordingFor } from '../wording/index.ts';
import { renderSms } from './render.ts';
import { suppressedOf } from './suppressions.ts';

export async function deliverSms(deps: NotifyDeps, delivery: Delivery): Promise<NotifyResult> {
  const { user, told, claim, input } = delivery;
  if (!user.phone || !user.phoneVerifiedAt) return fail(deps, delivery, 'recipient_dead', 'phone_missing');
  // No other text has it, whatever its words have come to meanwhile.
  const link = `${deps.publicUrl}/o?n=${input.attemptId}`;
  if (claim.calledBefore) return findText(deps, delivery, { to: user.phone, holding: link, since: claim.calledBefore });
  const suppressed = (await suppressedOf(deps.db, deps, user)).sms;
  if (suppressed) return fail(deps, delivery, 'recipient_opted_out', suppressed);
  const way = await admit(deps, input, 'twilio');
  if (typeof way === 'object') return defer(deps, delivery, 'sms', way.until);
  const over = await beginCall(deps, delivery);
  if (over) return over;
  const until = lastUse(deps, delivery, 'sms', told.at(-1)?.createdAt ?? deps.now());
  const outcome = await deps.senders.sms.send({
    to: user.phone,
    attemptId: input.attemptId,
    body: renderSms(told, link, wordingFor(user.locale)),
    validitySeconds: Math.min(36_000, secondsLeft(deps, until)),
  });
  const settles = outcome.class === 'ambiguous' ? { retryAfterMs: deps.ladder.smsSettleMs } : {};
  return answer(deps, { ...delivery, probe: way === 'probe' }, { ...outcome, ...settles }, 'twilio');
}

/**
 * Twilio has no idempotency key. A text whose fate is unknown is looked for, once the provider has had time to tell; it
 * is never sent again by itself.
 */
async function findText(
  deps: NotifyDeps,
  delivery: Delivery,
  message: { to: string; holding: string; since: Date },
): Promise<NotifyResult> {
  const settlesIn = message.since.getTime() + deps.ladder.smsSettleMs - deps.now().getTime();
  if (settlesIn > 0) throw new ProviderFailing('ambiguous', settlesIn);
  const found = await deps.senders.sms.find(message);
  if (found === undefined) throw new ProviderFailing('cannot_look');
  return found ? accept(deps, delivery, found.providerId) : stick(deps, delivery, 'sms_outcome_unknown', 'ambiguous');
}
