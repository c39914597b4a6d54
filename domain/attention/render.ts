import type { Preview } from '../../contracts/entities/index.ts';
import type { Announced } from '../../db/queries/announcements.ts';
import type { Wording } from '../wording/index.ts';

/** Limits of what a notification shows. */
const shown = {
  /** Graphemes of a push's body: what a lock screen has room for; the rest would only cost payload. */
  pushBody: 240,
  /** Bytes of a push, data and what is shown together: FCM takes 4,096, and the ids are never cut. */
  pushBytes: 3_500,
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

const nameOf = ({ kind, title, senderName }: Announced) => (kind === 'group' && title ? title : senderName);

/** The visible part of a push about one conversation's messages. */
export function renderPush(
  newest: Announced,
  preview: Preview,
  { words: { push }, say }: Wording,
): { title: string; body: string } {
  const { count } = newest;
  const counted = say(push.messages, { count });
  if (preview === 'generic') return { title: 'Homing', body: counted };
  const title = nameOf(newest);
  if (count > 1) return { title, body: counted };
  const isGroup = newest.kind === 'group';
  if (preview === 'sender')
    return { title, body: isGroup ? say(push.messageFrom, { sender: newest.senderName }) : counted };
  const who = isGroup ? `${newest.senderName}: ` : '';
  return { title, body: shorten(who + newest.text, shown.pushBody) };
}

/**
 * A text about all that is unread: numbers only, because anybody may look at the phone, and so that it fits one segment
 * whatever people are called.
 */
export function renderSms(told: readonly Announced[], link: string, { words: { sms }, say }: Wording): string {
  const conversations = told.length;
  const count = told.reduce((sum, one) => sum + one.count, 0);
  return conversations > 1
    ? say(sms.messagesSeveral, { count, conversations, link })
    : say(sms.messages, { count, link });
}
