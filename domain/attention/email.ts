import type { NotifyResult } from '../../contracts/workflows/escalate-unread.ts';
import type { AnnouncedMessage } from '../../db/queries/announcements.ts';
import { markCalled } from '../../db/queries/attempts.ts';
import type { Deps } from '../deps.ts';
import { ProviderFailing } from '../errors.ts';
import { type Delivery, type NotifyDeps, admit, answer, defer, fail, linkTo, stick } from './delivery.ts';
import { wordingFor } from '../wording/index.ts';
import { renderEmail } from './render.ts';
import { suppressedOf } from './suppressions.ts';
import { unsubscribeToken } from './unsubscribe-token.ts';

/** Repeats of a mail whose fate stays unknown, always with one Message-ID. */
const maxRepeats = 2;

export async function deliverEmail(deps: NotifyDeps, delivery: Delivery): Promise<NotifyResult> {
  const { user, messages, claim, input } = delivery;
  if (!user.email || !user.emailVerifiedAt) return fail(deps, delivery, 'recipient_dead', 'email_missing');
  if (claim.calledBefore) {
    // Nobody knows what came of the last call: time for the provider's own report first, then the same mail again.
    const settlesIn = claim.calledBefore.getTime() + deps.ladder.emailSettleMs - deps.now().getTime();
    if (settlesIn > 0) throw new ProviderFailing('ambiguous', settlesIn);
    if (claim.unanswered >= maxRepeats) return stick(deps, delivery, 'email_outcome_unknown', 'ambiguous');
  }
  const suppressed = (await suppressedOf(deps.db, deps, user)).email;
  if (suppressed) return fail(deps, delivery, 'recipient_opted_out', suppressed);
  const unsubscribeUrl = `${deps.publicUrl}/unsubscribe/${unsubscribeToken(deps, user.id)}`;
  const way = await admit(deps, input, 'sendgrid');
  if (typeof way === 'object') return defer(deps, delivery, 'email', way.until);
  await markCalled(deps.db, input.userId, input.attemptId, deps.now());
  const outcome = await deps.senders.email.send({
    to: user.email,
    attemptId: input.attemptId,
    ...renderEmail(messages, { to: linkTo(deps, claim), unsubscribe: unsubscribeUrl }, wordingFor(user.locale)),
    unsubscribeUrl,
    messageId: `<${input.attemptId}@${hostOf(deps)}>`,
    ...threadOf(deps, messages),
  });
  return answer(deps, { ...delivery, probe: way === 'probe' }, outcome, 'sendgrid');
}

/** One conversation: its mails are one thread. Several: the mail stands alone. */
function threadOf(deps: Pick<Deps, 'publicUrl'>, messages: readonly AnnouncedMessage[]): { references?: string } {
  const conversations = new Set(messages.map(({ conversationId }) => conversationId));
  if (conversations.size > 1) return {};
  return { references: `<conversation.${[...conversations][0]}@${hostOf(deps)}>` };
}

const hostOf = ({ publicUrl }: Pick<Deps, 'publicUrl'>) => new URL(publicUrl).hostname;
