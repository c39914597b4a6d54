import assert from 'node:assert/strict';
import jwt from 'jsonwebtoken';
import type { Session } from '../../contracts/entities/index.ts';
import { keyTimes, listKeys, rotateKeys, tendKeys } from '../../domain/keys/index.ts';
import { createKeySet, makeSigningKey } from '../../platform/key-set.ts';
import { createSeal } from '../../platform/sealing.ts';
import { type Person, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Answer, call, expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';
import { until } from '../support/until.ts';

const kidOf = (token: string) => jwt.decode(token, { complete: true })?.header.kid;
const by = { operator: 'test' };

describe('signing keys', function () {
  this.timeout(60_000);
  let app: TestApp;
  beforeEach(async () => {
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
      env: { HOMING_SESSION_WATCH: 'reload=100ms' },
    });
  });
  afterEach(() => app.stop());

  const deps = () => {
    const process = app.processes[0];
    assert.ok(process);
    return process.runtime.deps;
  };
  const refreshAt = (url: string, refreshToken: string) =>
    call<{ session: Session }>(url, 'POST', '/v1/auth/refresh', { body: { refreshToken } });
  const published = async (url: string) =>
    (await call<{ keys: { kid: string }[] }>(url, 'GET', '/.well-known/jwks.json')).body.keys.map(({ kid }) => kid);
  const onAllNodes = (right: (kids: string[]) => boolean) =>
    Promise.all(app.urls.map((url) => until(() => published(url), right)));
  /** Lets the time until a key signs pass but for what both nodes need to read it: by then it is known, as in earnest. */
  const letPass = (kid: string) =>
    app.database.run(`update signing_keys set signs_from = now() + interval '100 milliseconds' where kid = '${kid}'`);

  /** Somebody's session as it is by now, and what they were told. */
  interface Asking {
    answers: Answer[];
    session: Session;
  }

  /** They ask by the one node and the other, and renew their session. */
  async function keepAsking(asking: Asking, isOver: () => boolean): Promise<void> {
    for (let n = 0; !isOver(); n += 1) {
      const url = app.urls[n % 2] ?? '';
      asking.answers.push(await call(url, 'GET', '/v1/me', { token: asking.session.accessToken }));
      if (n % 3 !== 2) continue;
      const renewed = await refreshAt(app.urls[(n + 1) % 2] ?? '', asking.session.refreshToken);
      asking.answers.push(renewed);
      asking.session = renewed.body.session;
    }
  }
  /** Each node learns of it at its own next look. */
  const signs = (kid: string) =>
    Promise.all(
      app.urls.map((url) =>
        until(
          async () => kidOf((await registerPerson({ url })).token),
          (signing) => signing === kid,
        ),
      ),
    );

  it('when they are rotated twice under load, then nobody is refused, by either node or over a socket', async () => {
    const people = await Promise.all(Array.from({ length: 4 }, () => registerPerson(app)));
    const [first] = people as [Person];
    const socket = await connect(app.urls[1] ?? '', { token: first.token });
    let over = false;
    const asked = people.map(({ session }): Asking => ({ answers: [], session }));
    const asking = asked.map((each) => keepAsking(each, () => over));
    const allHave = (kid: string) =>
      until(
        () => Promise.resolve(asked.map(({ session }) => kidOf(session.accessToken))),
        (kids) => kids.every((each) => each === kid),
      );
    for (let n = 0; n < 2; n += 1) {
      const { kid } = await rotateKeys(deps(), by);
      await onAllNodes((kids) => kids.includes(kid));
      await letPass(kid);
      await signs(kid);
      await allHave(kid);
    }
    over = true;
    await Promise.all(asking);
    const answers = asked.flatMap((each) => each.answers);
    assert.ok(answers.length > 50, `${answers.length} were asked`);
    assert.deepEqual(
      answers.filter(({ status }) => status !== 200).map(({ status, body }) => [status, body]),
      [],
    );
    const token = asked[0]?.session.accessToken;
    assert.ok((await socket.ask('session.renew', { token })).ok);
    socket.close();
    assert.deepEqual((await published(app.url)).length, 3, 'current, previous, and that of the configuration');
  });

  it('one verifies for an hour after its last signature, and then no more', async () => {
    const first = await rotateKeys(deps(), by);
    await letPass(first.kid);
    await signs(first.kid);
    const old = await registerPerson(app);
    const second = await rotateKeys(deps(), by);
    await letPass(second.kid);
    await signs(second.kid);
    const pass = (seconds: number) =>
      app.database.run(`update signing_keys set signs_from = signs_from - interval '${seconds} seconds'`);
    await pass(keyTimes.kept - 60);
    expectStatus(await old.call('GET', '/v1/me'), 200);
    await pass(61);
    await onAllNodes((kids) => !kids.includes(first.kid) && kids.includes(second.kid));
    // It was remembered as good; that goes with the key.
    expectProblem(await old.call('GET', '/v1/me'), 401, 'unauthenticated');
    const renewed = expectStatus(await refreshAt(app.url, old.session.refreshToken), 200);
    assert.equal(kidOf(renewed.session.accessToken), second.kid);
  });

  it('one that somebody knows is taken away: nothing it signed opens anything or stays open, and its owners go on', async () => {
    const known = await rotateKeys(deps(), by);
    await letPass(known.kid);
    await signs(known.kid);
    const [ana, bob] = [await registerPerson(app), await registerPerson(app, 'Bob')];
    const [renews, stays] = [
      await connect(app.url, { token: ana.token }),
      await connect(app.url, { token: bob.token }),
    ];
    const next = await rotateKeys(deps(), by);
    await letPass(next.kid);
    await signs(next.kid);
    const { session } = expectStatus(await refreshAt(app.url, ana.session.refreshToken), 200);
    expectStatus(await ana.call('GET', '/v1/me'), 200);
    assert.ok((await renews.ask('session.renew', { token: session.accessToken })).ok);
    await app.database.run(`delete from signing_keys where kid = '${known.kid}'`);
    await stays.heard('notice', ({ kind, code }) => kind === 'session_ended' && code === 'unauthenticated');
    await until(
      async () => stays.raw.connected,
      (connected) => !connected,
    );
    for (const url of app.urls)
      expectProblem(await call(url, 'GET', '/v1/me', { token: bob.token }), 401, 'unauthenticated');
    await assert.rejects(connect(app.url, { token: bob.token }), /unauthenticated/);
    const renewed = expectStatus(await refreshAt(app.url, bob.session.refreshToken), 200).session;
    (await connect(app.url, { token: renewed.accessToken })).close();
    assert.ok((await renews.ask('session.renew', { token: session.accessToken })).ok, 'a renewed one stays open');
    renews.close();
  });

  it('the next one is published a day before it signs, every thirty days, and once by however many relays', async () => {
    const tend = async () => (await Promise.all([tendKeys(deps()), tendKeys(deps())])).reduce((a, b) => a + b);
    const secondsTo = async () => {
      const [next] = await listKeys(deps());
      return next?.place === 'next' ? (next.signsFrom.getTime() - Date.now()) / 1_000 : undefined;
    };
    const pass = (seconds: number) =>
      app.database.run(`update signing_keys set signs_from = signs_from - interval '${seconds} seconds'`);
    assert.equal(await tend(), 1);
    assert.ok(Math.abs(((await secondsTo()) ?? 0) - keyTimes.published) < 60);
    assert.equal(await tend(), 0);
    await pass(keyTimes.published);
    assert.equal(await tend(), 0, 'it signs, and has a month before it');
    await pass(keyTimes.period - keyTimes.published - 60);
    assert.equal(await tend(), 0);
    await pass(61);
    assert.equal(await tend(), 1);
    assert.deepEqual(
      (await listKeys(deps())).map(({ place }) => place),
      ['next', 'current'],
    );
    await pass(keyTimes.published + keyTimes.kept + 1);
    assert.equal(await tend(), 1, 'the one before is taken away');
  });

  it('a rotation in haste takes the key that waits, and the same one when it is asked for twice', async () => {
    await tendKeys(deps());
    const [waiting] = await listKeys(deps());
    const [one, other] = await Promise.all([rotateKeys(deps(), by), rotateKeys(deps(), by)]);
    assert.deepEqual([one.kid, other.kid], [waiting?.kid, waiting?.kid]);
    const inSeconds = (one.signsFrom.getTime() - Date.now()) / 1_000;
    assert.ok(inSeconds > 60 && inSeconds < 5 * 60, `in ${inSeconds} s`);
  });

  it('cannot be made where nothing can be sealed, which is said with the setting that helps', async () => {
    const bare = await app.start(['api'], { HOMING_KEY_ENCRYPTION_KEYS: '' });
    await assert.rejects(rotateKeys(bare.runtime.deps, by), {
      code: 'invalid_input',
      errors: [
        { path: 'HOMING_KEY_ENCRYPTION_KEYS', code: 'missing', message: 'must be set: new keys are sealed with it' },
      ],
    });
    assert.equal(await tendKeys(bare.runtime.deps), 0);
  });

  it('a node that cannot open one says so, and signs with the one before', async () => {
    const seals = ['a', 'b'].map((letter) =>
      createSeal([{ kid: letter, key: Buffer.alloc(32, letter).toString('base64') }]),
    );
    const [ours, theirs] = seals as [(typeof seals)[number], (typeof seals)[number]];
    const said: unknown[] = [];
    const log = { info() {}, warn() {}, error: (_: string, fields?: object) => void said.push(fields) };
    const configured = JSON.parse(app.env.HOMING_JWT_KEYS ?? '');
    const set = createKeySet({ configured, seal: ours, log });
    const [good, foreign] = [makeSigningKey(ours), makeSigningKey(theirs)];
    const swapped = { ...makeSigningKey(ours), kid: 'swapped' };
    const stored = (key: typeof good) => ({ ...key, mayVerifyOnly: false });
    for (let n = 0; n < 2; n += 1) set.load([foreign, swapped, good].map(stored));
    assert.equal(set.signing.kid, good.kid);
    assert.deepEqual([set.find(foreign.kid), set.find('swapped')], [undefined, undefined]);
    assert.deepEqual(
      said.map((fields) => (fields as { kid: string }).kid),
      [foreign.kid, 'swapped'],
    );
    assert.ok(!JSON.stringify([good, foreign]).includes('PRIVATE'));
    const waiting = makeSigningKey(ours);
    set.load([{ ...waiting, mayVerifyOnly: true }, stored(good)]);
    assert.equal(set.signing.kid, good.kid, 'one that waits does not sign');
    assert.ok(set.find(waiting.kid), 'and verifies');
    set.load([]);
    assert.equal(set.signing.kid, configured[0].kid);
  });
});
