import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Bytes of one fingerprint: two of a hundred thousand are the same, or a good password is taken for one, once in 10⁹. */
export const fingerprintBytes = 6;

/**
 * Fingerprints of the passwords that people choose most, in order, as `scripts/common-passwords.ts` makes them. Read once
 * by the first who asks and searched as it lies there: its size on the disk is all the memory that it takes (0.8 MB).
 */
let table: Buffer | undefined;

/** Whether it is one of them, whatever its case. */
export function isCommonPassword(password: string): boolean {
  table ??= readFileSync(new URL('./common-passwords.bin', import.meta.url));
  const wanted = fingerprint(password);
  let [low, high] = [0, table.length / fingerprintBytes];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = table.readUIntBE(middle * fingerprintBytes, fingerprintBytes);
    if (found === wanted) return true;
    if (found < wanted) low = middle + 1;
    else high = middle;
  }
  return false;
}

/** The beginning of SHA-256: short enough for a number, long enough for a list. */
export const fingerprint = (password: string): number =>
  createHash('sha256').update(password.toLowerCase()).digest().readUIntBE(0, fingerprintBytes);
