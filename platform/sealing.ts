import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Sealing } from '../domain/deps.ts';
import type { Keyring } from './config-types.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts what we must read again: AES-256-GCM, a fresh nonce each, the key's id beside it. The first key encrypts, all
 * decrypt. The owner is authenticated with it: what was copied into somebody else's row does not open.
 */
export function createSealing(keys: Keyring): Sealing {
  const ring = new Map(keys.map(({ kid, key }) => [kid, Buffer.from(key, 'base64')]));
  const [current] = ring as Iterable<[string, Buffer]>;
  if (!current) throw new Error('no key was given');
  const [keyId, key] = current;
  return {
    seal(plain, owner) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(`${keyId} ${owner}`));
      return { keyId, sealed: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
    },
    open({ keyId: kid, sealed }, owner) {
      const known = ring.get(kid);
      if (!known) throw new Error(`it was encrypted with key ${kid}, which is not in the ring`);
      const decipher = createDecipheriv(algorithm, known, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
        .setAAD(Buffer.from(`${kid} ${owner}`))
        .setAuthTag(sealed.subarray(-tagBytes));
      return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    },
  };
}

/** The same for texts that lie in one column, the key's id in front. */
export interface Seal {
  /** `about` is not hidden, and must be the same when it is opened: what lies under one name is no good under another. */
  close(text: string, about: string): string;
  open(sealed: string, about: string): string;
}

export function createSeal(keys: Keyring): Seal {
  const sealing = createSealing(keys);
  return {
    close(text, about) {
      const { keyId, sealed } = sealing.seal(Buffer.from(text), about);
      return `${keyId}.${sealed.toString('base64url')}`;
    },
    open(text, about) {
      const [keyId = '', sealed = ''] = text.split('.');
      return sealing.open({ keyId, sealed: Buffer.from(sealed, 'base64url') }, about).toString('utf8');
    },
  };
}
