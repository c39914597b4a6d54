import assert from 'node:assert/strict';
import type { Factors, PasskeyCreation } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { type Person, password, registerPerson, verifyContacts } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { Authenticator } from '../support/authenticator.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { answer, beginPasskeySignIn, challengeOf, signInWithPasskey, switchOnApp } from '../support/factors.ts';
import { waitFor } from '../support/inbox.ts';
import { type Answer, call, expectProblem, expectStatus } from '../support/rest.ts';

const long = 'staple battery horse correct';
const short = 'kT9#vq2L';

byEachDoor('a new password beside second factors', (door) => {
  let app: TestApp & Entrance;
  let clock: Clock;
  before(async () => {
    app = by(
      door,
      await startApp({
        processes: [
          ['api', 'realtime'],
          ['relay', 'worker'],
        ],
      }),
    );
    clock = clockOf({ processes: app.processes.slice(0, 1) });
  });
  after(() => app.stop());

  const change = (person: Person, newPassword: string, oldPassword = password) =>
    person.call('POST', '/v1/me/password', { oldPassword, newPassword });
  const login = ({ email }: Person, secret: string) =>
    call<{ session: { accessToken: string } }>(app.url, 'POST', '/v1/auth/login', {
      body: { identifier: email, password: secret },
    });
  /** Mails that the person has been sent. */
  let count: number;
  /** What the mail about a forgotten password brings. */
  const linkTo = async ({ email }: Person) => {
    expectStatus(await call(app.url, 'POST', '/v1/auth/password/forgot', { body: { identifier: email } }), 202);
    const mails = await waitFor(app, { to: email }, (count += 1));
    return mails.map(({ text }) => /#([\w-]{43})\b/.exec(text ?? '')?.[1]).find((token) => token !== undefined);
  };
  const reset = (token: string | undefined, secret: string) =>
    call(app.url, 'POST', '/v1/auth/password/reset', { body: { token, password: secret } });
  const registered = async () => {
    const person = await registerPerson(app);
    // The code that was asked for with the account.
    await waitFor(app, { to: person.email });
    count = 1;
    return person;
  };

  it('needs a fresh proof by the factor, beside the old one', async () => {
    const ana = await registerPerson(app);
    const phone = await switchOnApp(ana, clock);
    clock.pass(limits.proofSeconds * 1_000);
    expectProblem((await change(ana, long)) as Answer<never>, 403, 'step_up_required');
    expectStatus(await ana.call('POST', '/v1/auth/step-up', { code: phone.code() }), 200);
    expectProblem((await change(ana, long, long)) as Answer<never>, 401, 'invalid_credentials');
    expectStatus(await change(ana, long), 200);
  });

  it('needs none of who has no factor: the old one is the proof', async () => {
    const ana = await registerPerson(app);
    clock.pass(limits.proofSeconds * 1_000);
    expectStatus(await change(ana, long), 200);
  });

  it('may be shorter than one that stands alone', async () => {
    const [ana, bob] = [await registerPerson(app), await registerPerson(app, 'Bob')];
    await switchOnApp(ana, clock);
    assert.equal(short.length, limits.passwordLengthMinBesideFactor);
    const refused = async (person: Person, secret: string) =>
      assert.deepEqual(expectProblem((await change(person, secret)) as Answer<never>, 400, 'invalid_input'), [
        'newPassword',
      ]);
    await refused(ana, short.slice(1));
    expectStatus(await change(ana, short), 200);
    const alone = long.slice(0, limits.passwordLengthMin);
    await refused(bob, short);
    await refused(bob, alone.slice(1));
    expectStatus(await change(bob, alone), 200);
  });

  it('by mail signs nobody in past a factor, and takes none away', async () => {
    const ana = await registered();
    await verifyContacts(app, ana);
    const phone = await switchOnApp(ana, clock);
    count += 1;
    const { challenge } = await challengeOf(app, ana);
    expectStatus(await reset(await linkTo(ana), short), 204);
    expectProblem(await answer(app, { challenge, code: phone.code() }), 410, 'code_expired');
    const anew = expectStatus(await login(ana, short), 202) as unknown as { challenge: string };
    const { session } = expectStatus(await answer(app, { challenge: anew.challenge, code: phone.code() }), 200);
    const token = session.accessToken;
    const factors = expectStatus(await call<Factors>(app.url, 'GET', '/v1/me/factors', { token }), 200);
    assert.deepEqual(factors, { totp: true, passkeys: [], recoveryCodesLeft: limits.recoveryCodes });
  });

  it('by mail goes without the factors of who only named the address', async () => {
    const eve = await registered();
    await switchOnApp(eve, clock);
    const options = expectStatus(await eve.call<PasskeyCreation>('POST', '/v1/me/passkeys/begin'), 200);
    const key = new Authenticator();
    expectStatus(await eve.call('POST', '/v1/me/passkeys', { name: 'Laptop', passkey: key.register(options) }), 201);
    const link = await linkTo(eve);
    assert.deepEqual(expectProblem((await reset(link, short)) as Answer<never>, 400, 'invalid_input'), ['password']);
    expectStatus(await reset(link, long), 204);
    const { session } = expectStatus(await login(eve, long), 200);
    const token = session.accessToken;
    const factors = expectStatus(await call<Factors>(app.url, 'GET', '/v1/me/factors', { token }), 200);
    assert.deepEqual(factors, { totp: false, passkeys: [], recoveryCodesLeft: 0 });
    const asked = await beginPasskeySignIn(app);
    assert.equal((await signInWithPasskey(app, key.answer(asked))).status, 400);
  });
});
