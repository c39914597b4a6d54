import type { NotifyResult } from '../../contracts/workflows/escalate-unread.ts';
import type { MailedConversation } from '../../db/queries/mailed.ts';
import type { Deps } from '../deps.ts';
import { ProviderFailing } from '../errors.ts';
import { type Delivery, type NotifyDeps, admit, answer, beginCall, defer, fail, linkTo, stick } from './delivery.ts';
import { wordingFor } from '../wording/index.ts';
import { localDay } from './digest-time.ts';
import { preferencesToken } from './preferences-token.ts';
import { type EmailLinks, renderEmail } from './render-email.ts';
import { suppressedOf } from './suppressions.ts';
import { unsubscribeToken } from './unsubscribe-token.ts';

/** Repeats of a mail whose fate stays unknown, always with one Message-ID. */
const maxRepeats = 2;

export async function deliverEmail(deps: NotifyDeps, delivery: Delivery): Promise<NotifyResult> {
  const { user, mail, claim, input } = delivery;
  if (!user.email || !user.emailVerifiedAt) return fail(deps, delivery, 'recipient_dead', 'email_missing');
  if (claim.calledBefore) {
    // Nobody knows what came of the last call: time for the provider's own report first, then the same mail again.
    const settlesIn = claim.calledBefore.getTime() + deps.ladder.emailSettleMs - deps.now().getTime();
    if (settlesIn > 0) throw new ProviderFailing('ambiguous', settlesIn);
    if (claim.unanswered >= maxRepeats) return stick(deps, delivery, 'email_outcome_unknown', 'ambiguous');
  }
  const suppressed = (await suppressedOf(deps.db, deps, user)).email;
  if (suppressed) return fail(deps, delivery, 'recipient_opted_out', suppressed);
  const way = await admit(deps, input, 'sendgrid');
  if (typeof way === 'object') return defer(deps, delivery, 'email', way.until);
  const over = await beginCall(deps, delivery);
  if (over) return over;
  const [links, wording] = [linksOf(deps, delivery), wordingFor(user.locale)];
  const outcome = await deps.senders.email.send({
    to: user.email,
    attemptId: input.attemptId,
    ...renderEmail(mail, links, wording, { summary: claim.kind === 'summary' }),
    unsubscribeUrl: links.unsubscribe,
    messageId: `<${input.attemptId}@${hostOf(deps)}>`,
    references: threadOf(deps, delivery),
  });
  return answer(deps, { ...delivery, probe: way === 'probe' }, outcome, 'sendgrid');
}

function linksOf(deps: NotifyDeps, { user, claim, mail }: Delivery): EmailLinks {
  const lastSeq = new Map(claim.covers.map(({ conversationId, toSeq }) => [conversationId, toSeq]));
  const seqOf = ({ conversationId, messages }: MailedConversation) =>
    messages[0]?.seq ?? lastSeq.get(conversationId) ?? 1;
  const seqs = new Map(mail.map((told) => [told.conversationId, seqOf(told)]));
  const token = preferencesToken(deps, { userId: user.id, attemptId: claim.attemptId });
  return {
    to: (conversationId) => linkTo(deps, claim)({ conversationId, seq: seqs.get(conversationId) ?? 1 }),
    unsubscribe: `${deps.publicUrl}/unsubscribe/${unsubscribeToken(deps, user.id)}`,
    preferences: `${deps.publicUrl}/preferences/${token}`,
    why: `${deps.publicUrl}/why/${token}`,
  };
}

/** One conversation: its mails are one thread. Several: those of one of the person's days are. */
function threadOf(deps: Pick<Deps, 'publicUrl' | 'now'>, { mail, user }: Delivery): string {
  const [only, ...others] = mail;
  if (only && others.length === 0) return `<conversation.${only.conversationId}@${hostOf(deps)}>`;
  return `<digest.${user.id}.${localDay(deps.now(), user.timeZone)}@${hostOf(deps)}>`;
}

const hostOf = ({ publicUrl }: Pick<Deps, 'publicUrl'>) => new URL(publicUrl).hostname;
