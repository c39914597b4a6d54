import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** By which scanners of repositories and logs know a token, and so do we. */
const prefix = 'hom_pat_';
const randomLength = 43;
const whole = new RegExp(`^${prefix}([\\w-]{${randomLength}})([\\w-]{6})$`);

/** 256 random bits, then a checksum of them: what only looks like a token is told apart without asking anybody. */
export function newToken(): string {
  const random = randomBytes(32).toString('base64url');
  return `${prefix}${random}${checksum(random)}`;
}

/** Whether it is meant as a token of this kind; anything else is held for an access token. */
export const isMeantAsToken = (given: string): boolean => given.startsWith(prefix);

export function isWellFormed(given: string): boolean {
  const [, random, sum] = whole.exec(given) ?? [];
  return random !== undefined && checksum(random) === sum;
}

/** CRC-32 as six characters of base64url. It guards against typing errors, and proves nothing. */
function checksum(random: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(random));
  return bytes.toString('base64url');
}
