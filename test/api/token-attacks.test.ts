import assert from 'node:assert/strict';
import { type KeyObject, createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { Session } from '../../contracts/entities/index.ts';
import { type Person, registerPerson, signInAgain } from '../factories/person.ts';
import { type Random, createRandom } from '../history/random.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Answer, call, expectProblem, expectStatus } from '../support/rest.ts';
import { withSeed } from '../support/seed.ts';
import { connect } from '../support/socket.ts';

/** How often sessions are renewed in all: HOMING_ROTATIONS=100000 for the large run, which takes a quarter of an hour on two cores. */
const rotations = Number(process.env.HOMING_ROTATIONS ?? 1_000);
const sessions = 8;

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
/** A token put together by hand: libraries refuse to make most of these. */
const token = (header: object, claims: object, signing: (data: string) => Buffer) => {
  const data = `${encode(header)}.${encode(claims)}`;
  return `${data}.${signing(data).toString('base64url')}`;
};
const es256 = (key: KeyObject) => (data: string) =>
  sign('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' });
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

describe('who shows a token that is not theirs', () => {
  let app: TestApp;
  let ana: Person;
  const [first, second, own] = [newKey(), newKey(), newKey()];
  const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  before(async () => {
    const ring = [
      { kid: 'first', key: pem(first.privateKey) },
      { kid: 'second', key: pem(second.privateKey) },
    ];
    app = await startApp({ env: { HOMING_JWT_KEYS: JSON.stringify(ring) } });
    ana = await registerPerson(app);
  });
  after(() => app.stop());

  const now = () => Math.floor(Date.now() / 1_000);
  const header = { alg: 'ES256', typ: 'at+jwt', kid: 'first' };
  const claims = (extra: object = {}) => ({
    ...{ sub: ana.id, sid: ana.session.id, iss: 'http://homing.test', aud: 'homing', iat: now(), exp: now() + 900 },
    ...extra,
  });
  const ours = es256(first.privateKey);
  const theirs = es256(own.privateKey);
  const jwk = () => own.publicKey.export({ format: 'jwk' });
  const asks = (shown: string) => call(app.url, 'GET', '/v1/me', { token: shown });

  it('is let in with one that is made like ours, so that the refusals below mean something', async () => {
    expectStatus(await asks(token(header, claims(), ours)), 200);
    expectStatus(await asks(token({ ...header, kid: 'second' }, claims(), es256(second.privateKey))), 200);
  });

  const publicPem = () =>
    createPublicKey(createPrivateKey(pem(first.privateKey))).export({ type: 'spki', format: 'pem' });
  const hmac = (secret: string | Buffer) => (data: string) => createHmac('sha256', secret).update(data).digest();
  const forged: Record<string, () => string> = {
    'signed by the other of our keys': () => token(header, claims(), es256(second.privateKey)),
    'that names the other of our keys': () => token({ ...header, kid: 'second' }, claims(), ours),
    'that names no key': () => token({ alg: 'ES256', typ: 'at+jwt' }, claims(), ours),
    'that names a key by a path': () => token({ ...header, kid: '../../dev/null' }, claims(), theirs),
    'whose secret is our public key': () => token({ ...header, alg: 'HS256' }, claims(), hmac(publicPem())),
    'whose secret is nothing': () => token({ ...header, alg: 'HS256' }, claims(), hmac('')),
    'that says it is not signed': () => token({ ...header, alg: 'none' }, claims(), () => Buffer.alloc(0)),
    'that says so in capitals': () => token({ ...header, alg: 'NONE' }, claims(), () => Buffer.alloc(0)),
    'of another curve': () => token({ ...header, alg: 'ES384' }, claims(), ours),
    'with a signature of noughts': () => token(header, claims(), () => Buffer.alloc(64)),
    'that brings its key along': () => token({ ...header, jwk: jwk() }, claims(), theirs),
    'that brings its key and no name of one': () =>
      token({ alg: 'ES256', typ: 'at+jwt', jwk: jwk() }, claims(), theirs),
    'that says where its key is': () => token({ ...header, jku: 'http://evil.test/jwks.json' }, claims(), theirs),
    'that says where its certificate is': () => token({ ...header, x5u: 'http://evil.test/x.pem' }, claims(), theirs),
    'of no type': () => token({ alg: 'ES256', kid: 'first' }, claims(), ours),
    'of the type of an identity': () => token({ ...header, typ: 'JWT' }, claims(), ours),
    'of another issuer': () => token(header, claims({ iss: 'http://homing.test.evil.test' }), ours),
    'of no issuer': () => token(header, claims({ iss: undefined }), ours),
    'for others': () => token(header, claims({ aud: ['other'] }), ours),
    'that never runs out': () => token(header, claims({ exp: undefined }), ours),
    'that holds good from tomorrow on': () => token(header, claims({ nbf: now() + 86_400 }), ours),
    'whose words were changed': () => {
      const [head, , signature] = token(header, claims(), ours).split('.');
      return `${head}.${encode(claims({ sub: '0190a000-0000-7000-8000-000000000001' }))}.${signature}`;
    },
    'that lives a second longer than ours may': () => token(header, claims({ iat: now(), exp: now() + 961 }), ours),
    'that was signed in the future': () => token(header, claims({ iat: now() + 120, exp: now() + 1_020 }), ours),
    'that does not say when it was signed': () => token(header, claims({ iat: undefined }), ours),
    'that renews sessions': () => ana.session.refreshToken,
  };
  for (const [what, make] of Object.entries(forged))
    it(`is refused with one ${what}, by REST and by the socket`, async () => {
      expectProblem(await asks(make()), 401, 'unauthenticated');
      await assert.rejects(connect(app.url, { token: make() }), /unauthenticated/);
    });

  it('is let in with one that lives for as long as clocks may differ', async () => {
    const at = now();
    expectStatus(await asks(token(header, claims({ iat: at, exp: at + 960 }), ours)), 200);
  });

  it('is refused with one that ran out 61 s ago, and not before', async () => {
    expectStatus(await asks(token(header, claims({ iat: now() - 900, exp: now() - 50 }), ours)), 200);
    expectProblem(await asks(token(header, claims({ iat: now() - 900, exp: now() - 61 }), ours)), 401, 'token_expired');
  });

  describe('to renew a session', () => {
    const renew = (refreshToken: string) =>
      call<{ session: Session }>(app.url, 'POST', '/v1/auth/refresh', { body: { refreshToken } });
    const renewed = async (refreshToken: string) => expectStatus(await renew(refreshToken), 200).session;
    const refused = async (shown: string, code: string) => expectProblem((await renew(shown)) as Answer, 401, code);

    it('is refused with an access token', async () => {
      const answer = await renew(ana.token);
      assert.ok([400, 401].includes(answer.status), `${answer.status}`);
    });

    it('ends the session by the grandparent of what its owner holds, however soon, and no other session', async () => {
      const person = await registerPerson(app);
      const other = await signInAgain(app, person);
      const { refreshToken } = person.session;
      const child = await renewed(refreshToken);
      const grandchild = await renewed(child.refreshToken);
      await refused(refreshToken, 'refresh_reused');
      for (const shown of [refreshToken, child.refreshToken, grandchild.refreshToken])
        await refused(shown, 'session_revoked');
      expectProblem(await asks(grandchild.accessToken), 401, 'session_revoked');
      expectStatus(await other.call('GET', '/v1/me'), 200);
      await renewed(other.session.refreshToken);
    });

    it('gets the same successor for a device that slept nearly five minutes without its answer', async () => {
      const person = await registerPerson(app);
      const next = await renewed(person.session.refreshToken);
      await app.database.run(
        `update refresh_tokens set used_at = used_at - interval '4 minutes 50 seconds' where user_id = '${person.id}'`,
      );
      assert.equal((await renewed(person.session.refreshToken)).refreshToken, next.refreshToken);
    });

    it('fifty times at the same moment is one successor, which goes on', async () => {
      const person = await registerPerson(app);
      const answers = await Promise.all(Array.from({ length: 50 }, () => renewed(person.session.refreshToken)));
      const [next, ...others] = new Set(answers.map(({ refreshToken }) => refreshToken));
      assert.deepEqual(others, []);
      await renewed(next ?? '');
    });

    it(`${rotations} times, with answers lost and tabs that race, signs nobody out and forks no family`, async function () {
      this.timeout(60_000 + rotations * 50);
      const people = await Promise.all(Array.from({ length: sessions }, () => registerPerson(app)));
      await withSeed(async (seed) => {
        const chances = createRandom(seed);
        await Promise.all(people.map((person, n) => rotate(person, rotations / sessions, chances.fork(String(n)))));
      });
      const { rows } = await app.database.run(`select session_id from refresh_tokens
        where parent_hash is not null group by session_id, parent_hash having count(*) > 1`);
      assert.deepEqual(rows, []);
    });

    /** One answer in five is lost, and one time in ten two tabs ask at once. */
    async function rotate(person: Person, times: number, random: Random): Promise<void> {
      let { refreshToken } = person.session;
      for (let n = 0; n < times; n += 1) {
        const asked = refreshToken;
        const tabs = random.chance(0.1) ? 2 : 1;
        const answers = await Promise.all(Array.from({ length: tabs }, () => renewed(asked)));
        const next = answers[0]?.refreshToken ?? '';
        assert.ok(answers.every((answer) => answer.refreshToken === next));
        if (!random.chance(0.2)) refreshToken = next;
      }
    }
  });
});
