import { IntlMessageFormat } from 'intl-messageformat';
import { ar } from './ar.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import { es } from './es.ts';
import type { Words } from './words.ts';

export type { ReasonForNoPush, ReasonToSend, Words } from './words.ts';

const languages: Record<string, Words> = { ar, de, en, es };
/** What is told to who speaks none of ours. */
const fallback = 'en';

export type Language = keyof typeof languages;
export const languageNames: readonly string[] = Object.keys(languages);

/** A person's words: what to say, by whose rules numbers and plurals go, and in which direction it is read. */
export interface Wording {
  language: string;
  words: Words;
  /** An ICU message with its values. They are put in as they are: names are text, never part of the message. */
  say: (message: string, values?: Record<string, string | number>) => string;
}

/** For a BCP 47 tag: pt-BR, then pt, then English (RFC 4647 §3.4, lookup). */
export function wordingFor(locale: string): Wording {
  const parts = locale.toLowerCase().split('-');
  const tags = parts.map((_, n) => parts.slice(0, parts.length - n).join('-'));
  const language = tags.find((tag) => Object.hasOwn(languages, tag)) ?? fallback;
  return {
    language,
    words: languages[language] as Words,
    say: (message, values) => String(formatOf(language, message).format(values)),
  };
}

/** Parsed once: there are as many as there are sentences. */
const formats = new Map<string, IntlMessageFormat>();

function formatOf(language: string, message: string): IntlMessageFormat {
  const key = `${language}:${message}`;
  const known = formats.get(key);
  if (known) return known;
  const format = new IntlMessageFormat(message, language, undefined, { ignoreTag: true });
  formats.set(key, format);
  return format;
}
