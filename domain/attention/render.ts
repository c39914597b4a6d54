import type { Preview } from '../../contracts/entities/index.ts';
import type { AnnouncedMessage } from '../../db/queries/announcements.ts';

/** Limits of what a notification shows. */
const shown = {
  /** Graphemes of a push's body: what a lock screen has room for; the rest would only cost payload. */
  pushBody: 240,
  /** Bytes of a push, data and what is shown together: FCM takes 4,096, and the ids are never cut. */
  pushBytes: 3_500,
  /** Messages of one conversation in a mail; the rest is counted. */
  emailMessages: 10,
  /** Graphemes of one message in a mail. */
  emailText: 2_000,
};

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Cuts at a grapheme, never inside an emoji or an accent. */
export function shorten(text: string, max: number): string {
  const parts = [...graphemes.segment(text)];
  if (parts.length <= max) return text;
  return `${parts
    .slice(0, max - 1)
    .map(({ segment }) => segment)
    .join('')}…`;
}

/** Bytes as a payload counts them: JSON makes more of quotes and control characters. */
const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/** Cuts at a grapheme so that the text takes at most so many bytes of JSON. */
export function shortenToBytes(text: string, max: number): string {
  if (bytesOf(text) <= max) return text;
  let cut = '';
  for (const { segment } of graphemes.segment(text)) {
    if (bytesOf(`${cut}${segment}…`) > max) break;
    cut += segment;
  }
  return `${cut}…`;
}

/** Bytes beside title, body and data: names of fields, collapse key, badge. */
const pushFrame = 250;

/**
 * What is shown, short enough for the payload. Title and body count twice: the data has them for Android, the alert for
 * iOS. A few dozen characters may take thousands of bytes.
 */
export function fitPush(
  { title, body }: { title: string; body: string },
  data: Record<string, string>,
): { title: string; body: string } {
  const room = (shown.pushBytes - pushFrame - bytesOf(data)) / 2;
  const fitting = shortenToBytes(title, room / 3);
  return { title: fitting, body: shortenToBytes(body, room - bytesOf(fitting)) };
}

const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
const nameOf = ({ kind, title, senderName }: AnnouncedMessage) => (kind === 'group' && title ? title : senderName);

/** The visible part of a push about one conversation's messages (oldest first, at least one). */
export function renderPush(messages: readonly AnnouncedMessage[], preview: Preview): { title: string; body: string } {
  const newest = messages.at(-1) as AnnouncedMessage;
  const number = messages.length;
  if (preview === 'generic') return { title: 'Homing', body: number === 1 ? 'New message' : `${number} new messages` };
  const title = nameOf(newest);
  if (number > 1) return { title, body: `${number} new messages` };
  if (preview === 'sender')
    return { title, body: newest.kind === 'group' ? `New message from ${newest.senderName}` : 'New message' };
  const who = newest.kind === 'group' ? `${newest.senderName}: ` : '';
  return { title, body: shorten(who + newest.text, shown.pushBody) };
}

/** A mail about all that is unread, grouped by conversation, the oldest first. */
export function renderEmail(
  messages: readonly AnnouncedMessage[],
  linkTo: (message: AnnouncedMessage) => string,
): { subject: string; text: string; html: string } {
  const groups = [...Map.groupBy(messages, ({ conversationId }) => conversationId).values()];
  const parts = groups.map((group) => emailGroup(group, linkTo));
  return {
    subject: subjectOf(messages, groups),
    text: `${parts.map(({ text }) => text).join('\n\n')}\n`,
    html: `<!doctype html><html lang="en"><body style="font-family:sans-serif">${parts.map(({ html }) => html).join('')}</body></html>`,
  };
}

function subjectOf(messages: readonly AnnouncedMessage[], groups: readonly AnnouncedMessage[][]): string {
  const number = count(messages.length, 'new message', 'new messages');
  const first = messages[0] as AnnouncedMessage;
  if (groups.length > 1) return `${number} in ${groups.length} conversations`;
  return oneLine(`${number} ${first.kind === 'group' ? 'in' : 'from'} ${nameOf(first)}`);
}

function emailGroup(group: readonly AnnouncedMessage[], linkTo: (message: AnnouncedMessage) => string) {
  const first = group[0] as AnnouncedMessage;
  const told = group.slice(0, shown.emailMessages);
  const more = group.length - told.length;
  const lines = told.map(({ senderName, text }) => [senderName, shorten(text, shown.emailText)] as const);
  const link = linkTo(first);
  return {
    text: [
      nameOf(first),
      ...lines.map(([who, text]) => `${who}: ${text}`),
      ...(more > 0 ? [`and ${more} more`] : []),
      link,
    ].join('\n'),
    html: [
      `<h3>${escape(nameOf(first))}</h3>`,
      ...lines.map(([who, text]) => `<p><b>${escape(who)}</b><br>${escape(text).replaceAll('\n', '<br>')}</p>`),
      more > 0 ? `<p>and ${more} more</p>` : '',
      `<p><a href="${escape(link)}">Open the conversation</a></p>`,
    ].join(''),
  };
}

/**
 * A text about all that is unread: numbers only, because anybody may look at the phone, and so that it fits one GSM-7
 * segment whatever people are called.
 */
export function renderSms(messages: readonly AnnouncedMessage[], link: string): string {
  const conversations = new Set(messages.map(({ conversationId }) => conversationId)).size;
  const number = count(messages.length, 'new message', 'new messages');
  return `Homing: ${number}${conversations > 1 ? ` in ${conversations} conversations` : ''}. Open: ${link}`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string) => text.replaceAll(/[&<>"']/g, (character) => entities[character] as string);
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
