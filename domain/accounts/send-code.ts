import type { SendVerificationInput, SendVerificationOutcome } from '../../contracts/workflows/send-verification.ts';
import { beginVerification } from '../../db/queries/verifications.ts';
import type { Deps, SendOutcome } from '../deps.ts';
import { ProviderFailing } from '../errors.ts';
import { codeLimits, codeOf } from './contacts.ts';

/**
 * Sends the code of a request, if it is still the newest on its channel. Its time begins with the first sending: what
 * sends may have been away for longer than a code lives. Sending twice is harmless: a repeat carries the same code.
 */
export async function sendCode(
  deps: Pick<Deps, 'db' | 'now' | 'mac' | 'senders' | 'publicUrl'>,
  { userId, verificationId, channel }: SendVerificationInput,
): Promise<SendVerificationOutcome> {
  const at = deps.now();
  const until = new Date(at.getTime() + codeLimits.lifetimeMs);
  const request = await beginVerification(deps.db, { userId, channel, id: verificationId }, { at, until });
  if (!request) return 'superseded';
  const code = codeOf(deps, verificationId);
  const minutes = codeLimits.lifetimeMs / 60_000;
  const text = `${code} is your Homing code. It is good for ${minutes} minutes.`;
  return outcomeOf(
    channel === 'sms'
      ? await deps.senders.sms.send({ to: request.target, attemptId: verificationId, body: text, validitySeconds: 600 })
      : await deps.senders.email.send({
          to: request.target,
          attemptId: verificationId,
          subject: 'Your Homing code',
          text: `${text}\n\nIf you did not ask for it, ignore this mail.\n`,
          html: `<p>${text}</p><p>If you did not ask for it, ignore this mail.</p>`,
          messageId: `<verification.${verificationId}@${new URL(deps.publicUrl).hostname}>`,
        }),
  );
}

function outcomeOf(outcome: SendOutcome): SendVerificationOutcome {
  if (outcome.class === 'ok') return 'sent';
  const final = ['recipient_dead', 'recipient_opted_out', 'recipient_soft', 'content_rejected'];
  if (final.includes(outcome.class)) return 'undeliverable';
  throw new ProviderFailing(outcome.code, outcome.retryAfterMs);
}
