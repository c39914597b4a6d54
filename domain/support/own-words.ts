import type { NotificationSettings, Reason } from '../../contracts/entities/index.ts';
import type { AttemptRow } from '../../db/queries/attempts.ts';
import type { ToldConversation } from '../../db/queries/told.ts';
import type { UserRow } from '../../db/queries/users.ts';
import { type Wording, type Words, wordingFor } from '../wording/index.ts';

/** What is known of a notification that was sent to somebody. */
export interface ToldToMe extends Pick<AttemptRow, 'channel' | 'kind' | 'urgent'> {
  sentAt: Date;
  /** Null where the records are gone. */
  reason: Reason | null;
  decidedAt: Date;
  pushReason: Reason | undefined;
  frequency: NotificationSettings['emailFrequency'] | undefined;
  conversations: readonly ToldConversation[];
}

/** Why a notification came, in its reader's language. */
export interface OwnWords {
  heading: string;
  /** A line for each conversation that it told of. */
  conversations: string[];
  /** When that was written, when it was sent, and why then and in this way. */
  because: string[];
  /** The one of them that says why then. */
  sentence: string;
}

export function inOwnWords(told: ToldToMe, { locale, timeZone }: Pick<UserRow, 'locale' | 'timeZone'>): OwnWords {
  const wording = wordingFor(locale);
  const { words, say } = wording;
  const clock = new Intl.DateTimeFormat(wording.language, { dateStyle: 'long', timeStyle: 'short', timeZone });
  const sentence = reasonSentence(told, wording);
  const summary = told.kind === 'summary';
  const count = told.conversations.reduce((all, conversation) => all + conversation.count, 0);
  return {
    heading: summary ? say(words.why.waiting) : say(words.why.told, { count }),
    conversations: told.conversations.flatMap((one) => lineOf(one, wording, summary)),
    because: [
      ...writtenWhen(told, wording, clock),
      say(words.why.sent, { at: clock.format(told.sentAt) }),
      sentence,
      ...(told.urgent ? [say(words.why.urgent)] : []),
      ...noPush(told.pushReason, words),
    ],
    sentence,
  };
}

/** Of what waited in a summary, how much it was then is not written down. */
function lineOf({ kind, name, count }: ToldConversation, { words, say }: Wording, summary: boolean): string[] {
  if (summary) return name === null ? [] : [apart(name)];
  if (count === 0) return [];
  if (name === null) return [say(words.why.elsewhere, { count })];
  return [say(kind === 'direct' ? words.why.fromPerson : words.why.inGroup, { count, name: apart(name) })];
}

function writtenWhen({ conversations }: ToldToMe, { words, say }: Wording, clock: Intl.DateTimeFormat): string[] {
  const written = timesOf(conversations);
  if (written.length === 0) return [];
  const [from, to] = [clock.format(Math.min(...written)), clock.format(Math.max(...written))];
  return [from === to ? say(words.why.written, { from }) : say(words.why.writtenBetween, { from, to })];
}

const timesOf = (conversations: readonly ToldConversation[]): number[] =>
  conversations.flatMap(({ from, to }) => [from, to].flatMap((at) => at?.getTime() ?? []));

function reasonSentence(told: ToldToMe, { words, say }: Wording): string {
  if (told.reason === null) return say(words.why.gone);
  const because: Partial<Record<Reason, string>> = words.because;
  const oldest = Math.min(told.decidedAt.getTime(), ...timesOf(told.conversations));
  const minutes = Math.floor((told.decidedAt.getTime() - oldest) / 60_000);
  // A reason of another release is one that this one has no words for.
  return say(because[told.reason] ?? words.because.due, { minutes, frequency: told.frequency ?? 'other' });
}

function noPush(reason: Reason | undefined, words: Words): string[] {
  const unpushed: Partial<Record<Reason, string>> = words.unpushed;
  return reason === undefined ? [] : [unpushed[reason] ?? []].flat();
}

/** Reads in its own direction, whatever that of the sentence around it is (first strong isolate, UAX #9). */
const apart = (text: string) => `\u2068${text}\u2069`;
