import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { CodedError } from '../../contracts/errors.ts';
import { fingerprintBytes } from '../../platform/common-passwords.ts';
import { createPasswords } from '../../platform/passwords.ts';

/** What an operator is told. */
function operator() {
  const told: [string, Record<string, unknown>][] = [];
  const error = (message: string, fields = {}) => void told.push([message, fields]);
  return { told, log: { info() {}, warn() {}, error } };
}

describe('passwords', () => {
  const key = 'a pepper that is long enough for this';
  const otherKey = 'another pepper that is just as long as that';
  const { log } = operator();
  const options = { memoryMiB: 8, peppers: [{ kid: null, key }], log } as const;
  const passwords = createPasswords(options);

  it('are told from wrong ones, also with the same hash and another pepper', async () => {
    const stored = await passwords.hash('correct horse battery staple');
    assert.match(stored, /^\$argon2id\$v=19\$m=8192,t=3,p=1\$/);
    assert.equal(await passwords.verify('correct horse battery staple', stored), true);
    assert.equal(await passwords.verify('incorrect horse battery staple', stored), false);
    const other = createPasswords({ ...options, peppers: [{ kid: null, key: otherKey }] });
    assert.equal(await other.verify('correct horse battery staple', stored), false);
  });

  describe('with several peppers', () => {
    const [before, now] = [
      { kid: 'p1', key },
      { kid: 'p2', key: otherKey },
    ];

    it('are made with the first, which the hash names', async () => {
      const ring = createPasswords({ ...options, peppers: [now, before] });
      const stored = await ring.hash('correct horse battery staple');
      assert.ok(stored.includes(`,keyid=${Buffer.from('p2').toString('base64').replaceAll('=', '')}$`), stored);
      assert.equal(await ring.verify('correct horse battery staple', stored), true);
      assert.equal(ring.needsRehash(stored), false);
    });

    it('are understood with the one that they were made with, and are to be made anew', async () => {
      const stored = await createPasswords({ ...options, peppers: [before] }).hash('correct horse battery staple');
      const ring = createPasswords({ ...options, peppers: [now, before] });
      assert.equal(await ring.verify('correct horse battery staple', stored), true);
      assert.equal(await ring.verify('incorrect horse battery staple', stored), false);
      assert.equal(ring.needsRehash(stored), true);
    });

    it('are understood with the last where they were made when one stood alone', async () => {
      const stored = await passwords.hash('correct horse battery staple');
      const ring = createPasswords({ ...options, peppers: [now, before] });
      assert.equal(await ring.verify('correct horse battery staple', stored), true);
      assert.equal(ring.needsRehash(stored), true);
    });

    it('are wrong where the pepper is gone; an operator is told once which, and nothing else', async () => {
      const stored = await createPasswords({ ...options, peppers: [before] }).hash('correct horse battery staple');
      const { told, log: heard } = operator();
      const ring = createPasswords({ ...options, peppers: [now], log: heard });
      for (let n = 0; n < 2; n += 1) assert.equal(await ring.verify('correct horse battery staple', stored), false);
      assert.deepEqual(
        told.map(([, fields]) => fields),
        [{ kid: 'p1' }],
      );
      assert.match(told[0]?.[0] ?? '', /HOMING_PASSWORD_PEPPER/);
      assert.ok(![key, otherKey, stored, 'horse'].some((secret) => JSON.stringify(told).includes(secret)));
    });
  });

  it('of nobody are worked on all the same, and are wrong', async () => {
    assert.equal(await passwords.verify('whatever was typed in', undefined), false);
  });

  it('are hashed anew once the settings ask for more', async () => {
    const stored = await passwords.hash('correct horse battery staple');
    assert.equal(passwords.needsRehash(stored), false);
    assert.equal(createPasswords({ ...options, memoryMiB: 9 }).needsRehash(stored), true);
  });

  it('wait behind a gate: two are worked on, fifty wait, and one more is told to come again', async () => {
    const results = await Promise.allSettled(Array.from({ length: 60 }, () => passwords.hash('a password')));
    const refused = results.filter((result) => result.status === 'rejected');
    assert.equal(refused.length, 60 - 52);
    for (const { reason } of refused) assert.ok(reason instanceof CodedError && reason.code === 'overloaded');
  });

  it('that many people choose are known by a list of a hundred thousand and more', () => {
    const bytes = statSync(new URL('../../platform/common-passwords.bin', import.meta.url)).size;
    assert.ok(bytes / fingerprintBytes >= 100_000, `${bytes / fingerprintBytes} are known`);
    for (const common of ['123456', 'password', 'PassWord', 'qwertyuiop', 'iloveyou', 'trustno1'])
      assert.equal(passwords.isCommon(common), true, common);
    for (const rare of ['correct horse battery staple', 'xk7#mQ92-vL0pR4', ''])
      assert.equal(passwords.isCommon(rare), false, rare);
  });
});
