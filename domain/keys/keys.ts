import {
  type SigningKeyRow,
  forgetSigningKeys,
  hastenSigningKey,
  insertSigningKey,
  isNextKeyDue,
  lockSigningKeys,
  signingKeys,
} from '../../db/queries/signing-keys.ts';
import { commit } from '../commit.ts';
import type { Deps, NewSigningKey, StoredSigningKey } from '../deps.ts';
import { faultyField } from '../errors.ts';
import { type By, audit } from '../audit/index.ts';

const hour = 3_600;

/** Seconds. */
export const keyTimes = {
  /** From one key's first signature to the next one's. */
  period: 30 * 24 * hour,
  /** For which a key is published before it signs: others keep copies of what we publish. */
  published: 24 * hour,
  /** The same where it cannot wait. Longer than any node serves without having read the table, so each knows it by then. */
  publishedInHaste: 90,
  /** For which a key verifies after its last signature: longer than any token lives. */
  kept: hour,
};

/** What a node holds: read together with the sessions that have ended. */
export async function keysThatVerify({ db }: { db: Pick<Deps['db'], 'query'> }): Promise<StoredSigningKey[]> {
  const rows = await signingKeys(db, keyTimes.kept);
  return rows.map(({ kid, sealed, place }) => ({ kid, sealed, mayVerifyOnly: place === 'next' }));
}

/** The keys and where each stands, the latest first; nothing of them that is secret. */
export async function listKeys({ db }: Pick<Deps, 'db'>): Promise<Omit<SigningKeyRow, 'sealed'>[]> {
  const rows = await signingKeys(db, keyTimes.kept);
  return rows.map(({ sealed: _, ...row }) => row);
}

type KeyDeps = Pick<Deps, 'db' | 'newId' | 'publishLive' | 'makeSigningKey'>;

/** Rotates in haste: the next key, or a new one, signs as soon as every node that serves knows it. */
export async function rotateKeys(deps: KeyDeps, by: By): Promise<{ kid: string; signsFrom: Date }> {
  const fresh = makeOne(deps);
  return commit(deps, async (tx) => {
    await lockSigningKeys(tx);
    const next = (await signingKeys(tx, keyTimes.kept)).find(({ place }) => place === 'next');
    const signsFrom = next
      ? await hastenSigningKey(tx, next.kid, keyTimes.publishedInHaste)
      : await insertSigningKey(tx, fresh, keyTimes.publishedInHaste);
    await audit(tx, deps, by, { action: 'rotate_keys', userId: null });
    return { value: { kid: next?.kid ?? fresh.kid, signsFrom } };
  });
}

function makeOne({ makeSigningKey }: KeyDeps): NewSigningKey {
  if (makeSigningKey) return makeSigningKey();
  throw faultyField('HOMING_KEY_ENCRYPTION_KEYS', 'missing', 'must be set: new keys are sealed with it');
}

/**
 * The relay's round: publishes the next key a day before its time, and takes away those that nothing verifies by any more.
 * Answers with how many keys came or went. Where nothing can be sealed the keys are those of the configuration.
 */
export async function tendKeys(deps: Pick<Deps, 'db' | 'makeSigningKey' | 'log'>): Promise<number> {
  const { makeSigningKey } = deps;
  if (!makeSigningKey) return 0;
  return deps.db.transaction(async (tx) => {
    await lockSigningKeys(tx);
    const gone = await forgetSigningKeys(tx, keyTimes.kept);
    if (!(await isNextKeyDue(tx, keyTimes.period - keyTimes.published))) return gone;
    const next = makeSigningKey();
    const signsFrom = await insertSigningKey(tx, next, keyTimes.published);
    deps.log.info('the next signing key is published', { kid: next.kid, signsFrom });
    return gone + 1;
  });
}
