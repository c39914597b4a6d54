import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Keyring } from './config-types.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** What lies in the database and is of no use there: opened by nobody who has not the ring of the configuration. */
export interface Seal {
  /** `about` is not hidden, and must be the same when it is opened: what lies under one name is no good under another. */
  close(text: string, about: string): string;
  open(sealed: string, about: string): string;
}

/** AES-256-GCM, a fresh nonce each, the key's id in front. The first key of the ring closes, all open. */
export function createSeal(ring: Keyring): Seal {
  const keys = new Map(ring.map(({ kid, key }) => [kid, Buffer.from(key, 'base64')]));
  const [first] = keys as Iterable<[string, Buffer]>;
  if (!first) throw new Error('no key to seal with was given');
  return {
    close(text, about) {
      const [kid, key] = first;
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(about));
      const data = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${kid}.${data.toString('base64url')}`;
    },
    open(sealed, about) {
      const [kid = '', rest = ''] = sealed.split('.');
      const key = keys.get(kid);
      if (!key) throw new Error(`it was sealed with key ${kid}, which is not in the ring`);
      const data = Buffer.from(rest, 'base64url');
      const decipher = createDecipheriv(algorithm, key, data.subarray(0, nonceBytes)).setAAD(Buffer.from(about));
      decipher.setAuthTag(data.subarray(data.length - tagBytes));
      const plain = decipher.update(data.subarray(nonceBytes, data.length - tagBytes));
      return Buffer.concat([plain, decipher.final()]).toString('utf8');
    },
  };
}
