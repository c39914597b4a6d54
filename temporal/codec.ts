import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

// A CommonJS package whose names Node cannot see from outside.
const { temporal } = proto;
const encoding = 'binary/encrypted';
const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array | null | undefined) => new TextDecoder().decode(bytes ?? new Uint8Array());

/**
 * Encrypts whatever enters a history: AES-256-GCM, a fresh nonce each, the key's id beside it. The first key encrypts, all
 * decrypt, so a key is rotated by putting the new one first and keeping the old until its histories are gone.
 */
export function createCodec(keys: readonly { kid: string; key: string }[]): PayloadCodec {
  const ring = new Map(keys.map(({ kid, key }) => [kid, Buffer.from(key, 'base64')]));
  const [current] = ring as Iterable<[string, Buffer]>;
  if (!current) throw new Error('no payload key was given');
  return {
    encode: async (payloads) => payloads.map((payload) => encrypt(payload, current)),
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, ring)),
  };
}

function encrypt(payload: Payload, [kid, key]: [string, Buffer]): Payload {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce);
  cipher.setAAD(utf8(kid));
  const plain = temporal.api.common.v1.Payload.encode(payload).finish();
  const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { encoding: utf8(encoding), 'encryption-key-id': utf8(kid) }, data };
}

/** What is not encrypted passes as it is: payloads of the server's own, or from before the codec. */
function decrypt(payload: Payload, ring: Map<string, Buffer>): Payload {
  if (text(payload.metadata?.encoding) !== encoding || !payload.data) return payload;
  const kid = text(payload.metadata?.['encryption-key-id']);
  const key = ring.get(kid);
  if (!key) throw new Error(`a payload was encrypted with key ${kid}, which is not in the ring`);
  const data = Buffer.from(payload.data);
  const decipher = createDecipheriv(algorithm, key, data.subarray(0, nonceBytes));
  decipher.setAAD(utf8(kid));
  decipher.setAuthTag(data.subarray(data.length - tagBytes));
  const plain = Buffer.concat([decipher.update(data.subarray(nonceBytes, data.length - tagBytes)), decipher.final()]);
  return temporal.api.common.v1.Payload.decode(plain);
}
