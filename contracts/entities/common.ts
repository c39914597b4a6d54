import { z } from 'zod';
import { limits } from '../limits.ts';

/** RFC 3339 UTC with milliseconds, as a string: dates have no JSON Schema. */
export const Instant = z.iso.datetime({ precision: 3 }).meta({ description: 'RFC 3339, UTC, milliseconds' });
/** 1, 2, 3 … over the messages of one conversation. */
export const Seq = z.int().nonnegative().meta({ description: 'Number of a message in its conversation' });
/** 1, 2, 3 … over every change of one conversation. */
export const Version = z.int().nonnegative().meta({ description: 'Number of a change in its conversation' });

/** What somebody has not read, and how much of that mentions them; of each conversation up to `unreadCounted`. */
export const UnreadCounts = z
  .strictObject({ unread: z.int().nonnegative(), mentions: z.int().nonnegative() })
  .meta({ id: 'UnreadCounts' });
export type UnreadCounts = z.infer<typeof UnreadCounts>;

// Control characters except newline and tab, and the bidirectional overrides, can make a text or name read as something
// that it is not (Trojan Source, CVE-2021-42574); lone surrogates cannot be stored as UTF-8.
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/u;
const oneLineUnsafe = /[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/u;

/** Something that can be seen: of zero-width signs alone there is nothing. */
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** Text that people write: trimmed of nothing, free of control characters, at most `max` characters. */
export const text = (max: number) =>
  z
    .string()
    .min(1, { abort: true })
    .max(max)
    .refine((value) => value.isWellFormed(), { message: 'must be well-formed Unicode' })
    .refine((value) => !unsafe.test(value), { message: 'must not hold control or bidirectional override characters' })
    .refine((value) => visible.test(value), { message: 'must not be blank' });

/** One line of text: a name, a title. Trimmed. */
export const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((value) => value.isWellFormed(), { message: 'must be well-formed Unicode' })
    .refine((value) => !oneLineUnsafe.test(value), {
      message: 'must be one line without control or bidirectional override characters',
    })
    .refine((value) => visible.test(value), { message: 'must hold something that can be seen' });

/** An IANA time-zone name that this server's ICU knows. */
export const TimeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, { message: 'must be an IANA time zone, such as Europe/Berlin' })
  .meta({ description: 'IANA time zone', examples: ['Europe/Berlin'] });

/** A BCP 47 language tag. */
export const Locale = z
  .string()
  .max(35)
  .refine(isLocale, { message: 'must be a BCP 47 language tag, such as en or pt-BR' })
  .meta({ description: 'BCP 47 language tag', examples: ['en'] });

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/** `?limit=` of every list. Query strings carry text, so the number is read from it. */
export const pageLimit = (byDefault: number, most: number = limits.pageItems) =>
  z
    .string()
    .regex(/^\d{1,4}$/, { message: 'must be a whole number' })
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(byDefault);

/** A whole number in a query string. */
export const queryInteger = z
  .string()
  .regex(/^\d{1,16}$/, { message: 'must be a whole number' })
  .transform(Number)
  .pipe(z.int().nonnegative());
