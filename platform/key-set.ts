import { type KeyObject, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Log, NewSigningKey, StoredSigningKey } from '../domain/deps.ts';
import type { Keyring } from './config-types.ts';
import type { Seal } from './sealing.ts';

interface Pair {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/** Public keys as they are published (RFC 7517). */
export type Jwks = { keys: Record<string, string>[] };

/** The keys of access tokens that this process knows right now. */
export interface KeySet {
  /** The one that signs. */
  readonly signing: Pick<Pair, 'kid' | 'privateKey'>;
  /** The public half of one that verifies. */
  find(kid: string): KeyObject | undefined;
  jwks(): Jwks;
  /** Takes what stands in the table in place of what stood there before. */
  load(stored: readonly StoredSigningKey[]): void;
}

/**
 * The keys of the configuration and those of the table. The first of the configuration signs until one of the table is
 * due; all verify, those of the configuration for as long as they stand there.
 */
export function createKeySet({ configured, seal, log }: { configured: Keyring; seal?: Seal; log?: Log }): KeySet {
  const ring = configured.map(({ kid, key }) => toPair(kid, key));
  const opened = new Map<string, Pair | undefined>();
  let all = ring;
  let byKid = new Map(all.map((pair) => [pair.kid, pair]));
  let signing = ring[0] as Pair;

  /** Opened once: a key is read every two seconds, and never changes. */
  const open = ({ kid, sealed }: StoredSigningKey): Pair | undefined => {
    if (!opened.has(kid)) opened.set(kid, tryToOpen(kid, sealed));
    return opened.get(kid);
  };
  const tryToOpen = (kid: string, sealed: string): Pair | undefined => {
    try {
      if (!seal) throw new Error('HOMING_KEY_ENCRYPTION_KEYS is not set');
      return toPair(kid, seal.open(sealed, kid));
    } catch (error) {
      log?.error('a signing key cannot be opened; its tokens are refused here', {
        kid,
        reason: (error as Error).message,
      });
      return undefined;
    }
  };

  return {
    get signing() {
      return signing;
    },
    find: (kid) => byKid.get(kid)?.publicKey,
    jwks: () => ({ keys: all.map(({ kid, publicKey }) => toJwk(kid, publicKey)) }),
    load(rows) {
      const pairs = rows.flatMap((row) => open(row) ?? []);
      const due = rows.filter(({ mayVerifyOnly }) => !mayVerifyOnly).flatMap((row) => open(row) ?? []);
      for (const kid of opened.keys()) if (!rows.some((row) => row.kid === kid)) opened.delete(kid);
      all = [...pairs, ...ring];
      byKid = new Map(all.map((pair) => [pair.kid, pair]));
      signing = due[0] ?? (ring[0] as Pair);
    },
  };
}

const toPair = (kid: string, pem: string): Pair => ({
  kid,
  privateKey: createPrivateKey(pem),
  publicKey: createPublicKey(pem),
});

function toJwk(kid: string, key: KeyObject): Record<string, string> {
  const { kty, crv, x, y } = key.export({ format: 'jwk' });
  return { kid, kty: kty ?? 'EC', crv: crv ?? 'P-256', x: x ?? '', y: y ?? '', alg: 'ES256', use: 'sig' };
}

const kidBytes = 9;

/** A key that nobody has had before, sealed under its own id. */
export function makeSigningKey(seal: Seal): NewSigningKey {
  const kid = randomBytes(kidBytes).toString('base64url');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { kid, sealed: seal.close(pem, kid) };
}
