import assert from 'node:assert/strict';
import { parseStartFlags, UsageError } from '../../dev/flags.ts';
import { givenServices, withoutPassword } from '../../dev/services/given.ts';

describe('the flags of npm start', () => {
  it('are understood', () => {
    const flags = parseStartFlags(['--fresh', '--with', 'elasticsearch', '--port', '4100']);
    assert.deepEqual(flags, { fresh: true, help: false, elasticsearch: true, port: 4_100, state: undefined });
  });

  for (const [what, args] of [
    ['an unknown flag', ['--frehs']],
    ['an unknown extra', ['--with', 'kafka']],
    ['a port that is none', ['--port', '70000']],
    ['a port that is missing', ['--port']],
    ['a word that belongs to no flag', ['production']],
  ] as const) {
    it(`refuse ${what}, with the list of flags`, () => {
      assert.throws(
        () => parseStartFlags(args),
        (error: Error) =>
          error instanceof UsageError && /--fresh[^]*--with elasticsearch[^]*--port N/.test(error.message),
      );
    });
  }
});

describe('services that the environment names', () => {
  it('are taken as they are', () => {
    const env = { REDIS_URL: 'redis://there', TEMPORAL_ADDRESS: 'there:7233' };
    assert.deepEqual(givenServices(env), { redisUrl: 'redis://there', temporalAddress: 'there:7233' });
  });

  it('must be named in full', () => {
    assert.throws(() => givenServices({ DATABASE_URL: 'postgres://a' }), /DATABASE_OWNER_URL is missing/);
    assert.throws(() => givenServices({ S3_ENDPOINT: 'http://a' }), /AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/);
  });

  it('do not begin with keys alone, which mean AWS to other programs', () => {
    assert.deepEqual(givenServices({ AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }), {});
  });

  it('are printed without their passwords', () => {
    assert.equal(withoutPassword('postgres://me:secret@host/db'), 'postgres://me:…@host/db');
  });
});
