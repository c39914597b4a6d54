import type { Deps, SendOutcome } from '../deps.ts';
import { ProviderFailing } from '../errors.ts';
import type { Wording } from '../wording/index.ts';
import type { Contact } from './contacts.ts';

/** What is said about an account, in sentences of the wording; by text all of it is one. */
export interface Letter {
  /** What it is about: a repeat carries the same, and mail programs fold the two. */
  id: string;
  kind: 'verification' | 'notice' | 'reset';
  subject: string;
  paragraphs: readonly string[];
  sms: string;
  values?: Record<string, string | number>;
}

/** Seconds after which a text about an account is of no use. */
const validitySeconds = 600;

/** Sends it once, to an address or a number. Throws where it is to be tried again. */
export async function sendLetter(
  deps: Pick<Deps, 'senders' | 'publicUrl'>,
  { channel, target: to }: Contact,
  wording: Wording,
  letter: Letter,
): Promise<'sent' | 'undeliverable'> {
  const { id: attemptId, values } = letter;
  const body = wording.say(letter.sms, values);
  const outcome =
    channel === 'sms'
      ? await deps.senders.sms.send({ to, attemptId, body, validitySeconds })
      : await deps.senders.email.send({ to, attemptId, ...mailOf(deps, wording, letter) });
  return outcomeOf(outcome);
}

function mailOf({ publicUrl }: Pick<Deps, 'publicUrl'>, { language, words, say }: Wording, letter: Letter) {
  const paragraphs = letter.paragraphs.map((sentence) => say(sentence, letter.values));
  const html = paragraphs.map((paragraph) => `<p>${paragraph}</p>`).join('');
  return {
    subject: say(letter.subject),
    text: `${paragraphs.join('\n\n')}\n`,
    html: `<!doctype html><html lang="${language}"><body dir="${words.direction}">${html}</body></html>`,
    messageId: `<${letter.kind}.${letter.id}@${new URL(publicUrl).hostname}>`,
  };
}

function outcomeOf(outcome: SendOutcome): 'sent' | 'undeliverable' {
  if (outcome.class === 'ok') return 'sent';
  const final = ['recipient_dead', 'recipient_opted_out', 'recipient_soft', 'content_rejected'];
  if (final.includes(outcome.class)) return 'undeliverable';
  throw new ProviderFailing(outcome.code, outcome.retryAfterMs);
}
