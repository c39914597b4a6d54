import type { ConversationId } from '../../contracts/ids.ts';
import type { MailedConversation, MailedLine } from '../../db/queries/mailed.ts';
import type { Wording } from '../wording/index.ts';
import { shorten } from './render.ts';

/** Graphemes that a mail shows of one message, and of one that only stands there to understand the others by. */
const shown = { text: 2_000, earlier: 200 };

/** Where a mail's links lead. */
export interface EmailLinks {
  to(conversationId: ConversationId): string;
  unsubscribe: string;
  preferences: string;
  why: string;
}

/** A mail about what is unread, grouped by conversation, in the order in which they are given. */
export function renderEmail(
  conversations: readonly MailedConversation[],
  links: EmailLinks,
  wording: Wording,
  { summary }: { summary: boolean },
): { subject: string; text: string; html: string } {
  const { language, words, say } = wording;
  const parts = conversations.map((told) => part(told, links, wording, summary));
  const intro = summary ? [say(words.email.summaryIntro)] : [];
  const footer = footerOf(links, wording);
  const body = [
    ...intro.map((line) => `<p>${escape(line)}</p>`),
    ...parts.map(({ html }) => html),
    `<p style="color:#666"><small>${footer.html}</small></p>`,
  ].join('');
  return {
    subject: oneLine(summary ? summarySubject(conversations, wording) : subject(conversations, wording)),
    text: `${[...intro, ...parts.map(({ text }) => text)].join('\n\n')}\n\n-- \n${footer.text}\n`,
    html: `<!doctype html><html lang="${language}"><body dir="${words.direction}" style="font-family:sans-serif">${body}</body></html>`,
  };
}

function subject(conversations: readonly MailedConversation[], { words: { email }, say }: Wording): string {
  const count = sum(conversations.map((told) => told.count));
  const [only, ...others] = conversations;
  if (!only || others.length > 0) return say(email.subjectSeveral, { count, conversations: conversations.length });
  return say(only.kind === 'direct' ? email.subjectFrom : email.subjectIn, { count, name: only.name });
}

const summarySubject = (conversations: readonly MailedConversation[], { words: { email }, say }: Wording): string =>
  say(email.summarySubject, { count: sum(conversations.map(({ unread }) => unread)) });

const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);

/** One conversation: what came before, greyed; what is new; how many more there are. */
function part(told: MailedConversation, links: EmailLinks, { words: { email }, say }: Wording, summary: boolean) {
  const { count, unread, messages } = told;
  const name = clean(told.name);
  const waiting = summary ? [say(email.waiting, { count: unread })] : [];
  const earlier = told.earlier.map(shortened(shown.earlier));
  const label = earlier.length > 0 ? [say(email.earlier)] : [];
  const fresh = messages.map(shortened(shown.text));
  const more = count > messages.length ? [say(email.more, { count: count - messages.length })] : [];
  const link = links.to(told.conversationId);
  return {
    text: [
      ...[name, ...waiting],
      ...[...label, ...earlier.map(plain)].map(quoted),
      ...[...fresh.map(plain), ...more, link],
    ].join('\n'),
    html: [
      `<h3>${apart(name)}</h3>`,
      ...waiting.map(paragraph),
      ...label.map(
        (words) => `<div style="color:#666"><small>${escape(words)}</small>${earlier.map(markup).join('')}</div>`,
      ),
      ...[...fresh.map(markup), ...more.map(paragraph)],
      `<p><a href="${escape(link)}">${escape(say(email.open))}</a></p>`,
    ].join(''),
  };
}

type Line = Pick<MailedLine, 'senderName' | 'text'>;
const shortened =
  (graphemes: number) =>
  ({ senderName, text }: MailedLine): Line => ({
    senderName: clean(senderName),
    text: shorten(clean(text), graphemes),
  });
const plain = ({ senderName, text }: Line) => `${senderName}: ${text}`;
const quoted = (text: string) => `> ${text.replaceAll('\n', '\n> ')}`;
const markup = ({ senderName, text }: Line) =>
  `<p><b>${apart(senderName)}</b><br>${apart(text).replaceAll('\n', '<br>')}</p>`;
const paragraph = (text: string) => `<p>${escape(text)}</p>`;

function footerOf(links: EmailLinks, { words: { email, why }, say }: Wording): { text: string; html: string } {
  const reason = say(email.why);
  const question = [say(why.question), links.why] as const;
  const ways = [
    [say(email.preferences), links.preferences],
    [say(email.unsubscribe), links.unsubscribe],
  ] as const;
  return {
    text: [reason, question.join(' '), ...ways.map((way) => way.join(': '))].join('\n'),
    html: [escape(reason), ...[question, ...ways].map(anchor)].join(' '),
  };
}

const anchor = ([label, link]: readonly [string, string]) => `<a href="${escape(link)}">${escape(label)}</a>`;

/** What people wrote reads in its own direction, whatever that of the words around it is. */
const apart = (text: string) => `<bdi>${escape(text)}</bdi>`;
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string) => text.replaceAll(/[&<>"']/g, (character) => entities[character] as string);
const oneLine = (text: string) => clean(text).replaceAll(/\s+/g, ' ').trim();
/** Without what would turn the words around it, or is no text: controls but tab and line feed, and bidi overrides. */
const clean = (text: string) => text.replaceAll(/[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069]/gu, '');
