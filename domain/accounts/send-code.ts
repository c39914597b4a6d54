import type { SendVerificationInput, SendVerificationOutcome } from '../../contracts/workflows/send-verification.ts';
import { userById } from '../../db/queries/users.ts';
import { beginVerification } from '../../db/queries/verifications.ts';
import type { Deps, SendOutcome } from '../deps.ts';
import { ProviderFailing } from '../errors.ts';
import { wordingFor } from '../wording/index.ts';
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
  const { language, words, say } = wordingFor((await userById(deps.db, userId))?.locale ?? 'en');
  const values = { code: codeOf(deps, verificationId), minutes: codeLimits.lifetimeMs / 60_000 };
  if (channel === 'sms') {
    const body = say(words.sms.code, values);
    return outcomeOf(
      await deps.senders.sms.send({ to: request.target, attemptId: verificationId, body, validitySeconds: 600 }),
    );
  }
  const [text, ignore] = [say(words.email.code, values), say(words.email.ignore)];
  return outcomeOf(
    await deps.senders.email.send({
      to: request.target,
      attemptId: verificationId,
      subject: say(words.email.codeSubject),
      text: `${text}\n\n${ignore}\n`,
      html: `<!doctype html><html lang="${language}"><body dir="${words.direction}"><p>${text}</p><p>${ignore}</p></body></html>`,
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
