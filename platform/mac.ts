import { createHmac, hkdfSync } from 'node:crypto';
import type { Mac } from '../domain/deps.ts';

/** HMAC-SHA-256 with a key of its own for each purpose, all derived from one secret (HKDF, RFC 5869). */
export function createMac(secret: string): Mac {
  const keys = new Map<string, Buffer>();
  const keyOf = (purpose: string) => {
    const known = keys.get(purpose);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', secret, '', `homing ${purpose}`, 32));
    keys.set(purpose, key);
    return key;
  };
  return (purpose, data) => createHmac('sha256', keyOf(purpose)).update(data).digest();
}
