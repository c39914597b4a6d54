import assert from 'node:assert/strict';
import { CodedError } from '../../contracts/errors.ts';
import { createPasswords } from '../../platform/passwords.ts';

describe('passwords', () => {
  const options = { memoryMiB: 8, pepper: 'a pepper that is long enough for this' };
  const passwords = createPasswords(options);

  it('are told from wrong ones, also with the same hash and another pepper', async () => {
    const stored = await passwords.hash('correct horse battery staple');
    assert.match(stored, /^\$argon2id\$v=19\$m=8192,t=3,p=1\$/);
    assert.equal(await passwords.verify('correct horse battery staple', stored), true);
    assert.equal(await passwords.verify('incorrect horse battery staple', stored), false);
    const other = createPasswords({ ...options, pepper: 'another pepper that is just as long as that' });
    assert.equal(await other.verify('correct horse battery staple', stored), false);
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
});
