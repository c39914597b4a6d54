import { limits } from '../../contracts/limits.ts';
import type { UserRow } from '../../db/queries/users.ts';
import type { Deps } from '../deps.ts';
import { faultyField } from '../errors.ts';

/** Whose password it is to be: what anybody knows of them is guessed first. */
type Person = Pick<UserRow, 'displayName' | 'email' | 'phone'>;

const product = 'homing';

/** Letters of a name that make it worth looking for. */
const wordLength = 3;
/** Characters that must be left of a password without what is known of its owner. */
const ownLength = 8;

const tooShort = `must have at least ${limits.passwordLengthMin} characters, or ${limits.passwordLengthMinBesideFactor} where a second factor is switched on`;
const faults = {
  too_common: 'is one that many people use; take another, such as four words that have nothing to do with each other',
  too_simple: 'repeats or counts along; take another, such as four words that have nothing to do with each other',
  about_you: 'is made of your name, your address or the name of this service; take another',
} as const;

const leaked =
  'stands in lists of passwords that were stolen elsewhere; take another, such as four words that have nothing to do with each other';

/**
 * Refuses a password that is guessed first, naming the field (NIST SP 800-63B-4 §3.1.1.2), or one that is short and stands
 * alone: beside a second factor fewer characters do. There are no rules about which signs it has to hold, and it never
 * runs out.
 */
export async function checkNewPassword(
  { passwords }: Pick<Deps, 'passwords'>,
  field: string,
  password: string,
  person: Person,
  secondFactor = false,
): Promise<void> {
  // Counted as people count: a sign outside of the basic plane is one, and two for JavaScript.
  if (!secondFactor && Array.from(password).length < limits.passwordLengthMin)
    throw faultyField(field, 'too_small', tooShort);
  const fault = weaknessOf(password.toLowerCase(), wordsOf(person), (word) => passwords.isCommon(word));
  if (fault) throw faultyField(field, fault, faults[fault]);
  if (await passwords.isLeaked(password)) throw faultyField(field, 'too_common', leaked);
}

function weaknessOf(
  password: string,
  known: readonly string[],
  isCommon: (word: string) => boolean,
): keyof typeof faults | undefined {
  const unit = repeated(password);
  if (unit !== undefined && (unit.length < ownLength || isCommon(unit))) return 'too_simple';
  if (countsAlong(password)) return 'too_simple';
  const own = known.reduce((left, word) => left.replaceAll(word, ''), password);
  if (own !== password && own.length < ownLength) return 'about_you';
  return [password, own, bare(own)].some(isCommon) ? 'too_common' : undefined;
}

/** What is known of a person and makes no secret, the longest first. */
function wordsOf({ displayName, email, phone }: Person): string[] {
  const [local = '', domain = ''] = (email ?? '').split('@');
  const parts = [
    displayName,
    displayName.replaceAll(/\s/g, ''),
    local,
    domain.split('.')[0] ?? '',
    phone?.slice(1) ?? '',
  ];
  const words = [...parts, ...displayName.split(/\s+/), ...local.split(/[^\p{L}]+/u), product];
  return words
    .map((word) => word.toLowerCase())
    .filter((word) => word.length >= wordLength)
    .sort((a, b) => b.length - a.length);
}

/** What it repeats from its beginning to its end, if it does. */
function repeated(password: string): string | undefined {
  for (let length = 1; length * 2 <= password.length; length += 1)
    if (password.slice(length) === password.slice(0, -length)) return password.slice(0, length);
  return undefined;
}

/** `aaaabbbb`, `12345678`, `zyxwvuts`: four of five signs or more are the one before, or the next to it. */
function countsAlong(password: string): boolean {
  const codes = Array.from(password, (sign) => sign.codePointAt(0) ?? 0);
  const jumps = codes.slice(1).filter((code, before) => !isNext(codes[before] ?? 0, code));
  return jumps.length * 5 < password.length;
}

const [zero, nine] = [48, 57];
const isNext = (one: number, other: number) =>
  Math.abs(one - other) <= 1 || (Math.min(one, other) === zero && Math.max(one, other) === nine);

/** Without the digits and signs that are put before or behind a word to make it longer. */
const bare = (password: string) => password.replaceAll(/^[^\p{L}]+|(?<=\p{L})[^\p{L}]+$/gu, '');
