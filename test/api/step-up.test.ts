import assert from 'node:assert/strict';
import type { PasskeyCreation, Session } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { type Person, makeGroup, password, registerPeople, registerPerson, signInAgain } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { Authenticator } from '../support/authenticator.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { switchOnApp } from '../support/factors.ts';
import { askFor, giveRole, guarded } from '../support/guarded.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';

const proofMs = limits.proofSeconds * 1_000;
byEachDoor('what needs a recent proof of who asks', (door) => {
  let app: TestApp & Entrance;
  let clock: Clock;
  before(async () => {
    app = by(door, await startApp());
    clock = clockOf(app);
  });
  after(() => app.stop());

  const prove = (person: Person, body: object) =>
    person.call<{ provedUntil: string }>('POST', '/v1/auth/step-up', body);
  const ask = (person: Person) => person.call('POST', '/v1/me/totp');

  it('is what the page of promises names', () => {
    assert.deepEqual(
      guarded.map(({ operationId }) => operationId).sort(),
      [
        ...['beginIdentity', 'beginPasskey', 'beginTotp', 'changeMember', 'removeIdentity', 'removePasskey'],
        ...['removeTotp', 'renewRecoveryCodes'],
        ...['revokeOtherSessions', 'revokeSession', 'setEmail', 'setPhone', 'transferOwnership'],
        ...['createToken', 'createBot', 'createBotToken'],
        ...['suspendUser', 'reactivateUser', 'removeFactors'],
      ].sort(),
    );
  });

  for (const operation of guarded) {
    const { operationId } = operation;
    it(`${operationId} is refused five minutes after the sign-in, and says how to go on`, async () => {
      const ana = await registerPerson(app);
      await giveRole(app, ana, operationId);
      const attempt = () => askFor<{ code?: string }>(ana, operation, 'nobody');
      clock.pass(proofMs - 1);
      assert.notEqual((await attempt()).body?.code, 'step_up_required');
      const late = await registerPerson(app);
      await giveRole(app, late, operationId);
      clock.pass(proofMs);
      const refused = await askFor<{ detail: string }>(late, operation, 'nobody');
      expectProblem(refused as never, 403, 'step_up_required');
      assert.match(refused.body.detail, /POST \/v1\/auth\/step-up with `password`/);
    });
  }

  it('comes back with the password, for five minutes', async () => {
    const ana = await registerPerson(app);
    clock.pass(proofMs);
    expectProblem(await ask(ana), 403, 'step_up_required');
    const { provedUntil } = expectStatus(await prove(ana, { password }), 200);
    assert.equal(Date.parse(provedUntil), clock.now() + proofMs);
    expectStatus(await ask(ana), 200);
    clock.pass(proofMs);
    expectProblem(await ask(ana), 403, 'step_up_required');
  });

  it('is not reached by renewing the tokens', async () => {
    const ana = await registerPerson(app);
    clock.pass(proofMs);
    const body = { refreshToken: ana.session.refreshToken };
    const renewed = await call<{ session: Session }>(app.url, 'POST', '/v1/auth/refresh', { body });
    const token = expectStatus(renewed, 200).session.accessToken;
    expectProblem(await call(app.url, 'POST', '/v1/me/totp', { token }), 403, 'step_up_required');
  });

  it('is a matter of the session: a proof in one is none in another', async () => {
    const ana = await registerPerson(app);
    clock.pass(proofMs);
    const elsewhere = await signInAgain(app, ana);
    expectStatus(await ask(elsewhere), 200);
    expectProblem(await ask(ana), 403, 'step_up_required');
  });

  it('takes the factor and not the password of who has one', async () => {
    const ana = await registerPerson(app);
    const phone = await switchOnApp(ana, clock);
    clock.pass(proofMs);
    const refused = await ana.call<{ detail: string }>('DELETE', '/v1/me/totp');
    expectProblem(refused as never, 403, 'step_up_required');
    assert.match(refused.body.detail, /`code`.* or `recoveryCode`/);
    expectProblem((await prove(ana, { password })) as never, 403, 'step_up_required');
    expectProblem(await ana.call('DELETE', '/v1/me/totp'), 403, 'step_up_required');
    const code = phone.code();
    expectStatus(await prove(ana, { code }), 200);
    expectProblem((await prove(ana, { code })) as never, 400, 'invalid_code');
    expectStatus(await ana.call('DELETE', '/v1/me/totp'), 204);
  });

  describe('by the password alone, before a factor was switched on', () => {
    /** What would take the account over. */
    const takeovers = (thief: Person) => [
      thief.call('POST', '/v1/me/recovery-codes'),
      thief.call('POST', '/v1/me/email', { email: `${thief.id}@example.test` }),
      thief.call('POST', '/v1/me/phone', { phone: '+4915112345678' }),
      thief.call('POST', '/v1/me/password', { oldPassword: password, newPassword: 'another long battery staple' }),
      thief.call('POST', '/v1/me/totp'),
      thief.call('POST', '/v1/me/passkeys/begin'),
      thief.call('DELETE', '/v1/me/totp'),
      thief.call('DELETE', '/v1/sessions'),
    ];

    it('counts for nothing in other sessions from then on, and the one that did so stays proved', async () => {
      const ana = await registerPerson(app);
      const thief = await signInAgain(app, ana);
      const phone = await switchOnApp(ana, clock);
      for (const taken of takeovers(thief)) expectProblem((await taken) as never, 403, 'step_up_required');
      expectStatus(await ana.call('POST', '/v1/me/recovery-codes'), 200);
      expectStatus(await prove(thief, { code: phone.code() }), 200);
      expectStatus(await thief.call('DELETE', '/v1/me/totp'), 204);
    });

    it('counts for nothing beside a passkey either', async () => {
      const ana = await registerPerson(app);
      const thief = await signInAgain(app, ana);
      const asked = expectStatus(await ana.call<PasskeyCreation>('POST', '/v1/me/passkeys/begin'), 200);
      const passkey = new Authenticator().register(asked);
      const added = await ana.call<{ passkey: { id: string } }>('POST', '/v1/me/passkeys', { name: 'Laptop', passkey });
      const { id } = expectStatus(added, 201).passkey;
      for (const taken of [...takeovers(thief), thief.call('DELETE', `/v1/me/passkeys/${id}`)])
        expectProblem((await taken) as never, 403, 'step_up_required');
      expectStatus(await ana.call('POST', '/v1/me/recovery-codes'), 200);
    });

    it('comes back with no factor that is taken away', async () => {
      const ana = await registerPerson(app);
      const thief = await signInAgain(app, ana);
      await switchOnApp(ana, clock);
      expectStatus(await ana.call('DELETE', '/v1/me/totp'), 204);
      expectProblem(await ask(thief), 403, 'step_up_required');
    });

    it('is not made longer by switching a factor on', async () => {
      const ana = await registerPerson(app);
      await switchOnApp(ana, clock);
      clock.pass(proofMs - 30_000);
      expectProblem(await ana.call('POST', '/v1/me/recovery-codes'), 403, 'step_up_required');
    });
  });

  describe('by a password that is another one now', () => {
    const next = 'another long battery staple';
    const change = (person: Person) =>
      person.call('POST', '/v1/me/password', { oldPassword: password, newPassword: next });

    it('counts for nothing in other sessions, and the one that changed it stays proved', async () => {
      const ana = await registerPerson(app);
      const thief = await signInAgain(app, ana);
      expectStatus(await change(ana), 200);
      const mine = { email: `${thief.id}@example.test` };
      expectProblem(await thief.call('POST', '/v1/me/email', mine), 403, 'step_up_required');
      expectProblem((await prove(thief, { password })) as never, 401, 'invalid_credentials');
      expectStatus(await ask(ana), 200);
      expectStatus(await prove(thief, { password: next }), 200);
    });
  });

  it('takes a recovery code once', async () => {
    const ana = await registerPerson(app);
    const [recoveryCode] = (await switchOnApp(ana, clock)).recoveryCodes;
    expectStatus(await prove(ana, { recoveryCode }), 200);
    expectProblem((await prove(ana, { recoveryCode })) as never, 400, 'invalid_code');
  });

  it('lets a session guess five times in five minutes, and keeps nobody out elsewhere', async () => {
    const ana = await registerPerson(app);
    for (let n = 0; n < limits.factorGuesses; n += 1)
      expectProblem((await prove(ana, { password: 'a wrong one' })) as never, 401, 'invalid_credentials');
    expectProblem((await prove(ana, { password })) as never, 429, 'too_many_attempts');
    const elsewhere = await signInAgain(app, ana);
    expectStatus(await prove(elsewhere, { password }), 200);
    clock.pass(proofMs);
    expectStatus(await prove(ana, { password }), 200);
  });

  it('counts guesses that come at once before it judges them', async () => {
    const ana = await registerPerson(app);
    const guesses = Array.from({ length: 20 }, () => prove(ana, { password: 'a wrong one' }));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 401).length, limits.factorGuesses);
    assert.equal(statuses.filter((status) => status === 429).length, 20 - limits.factorGuesses);
  });

  it('begins to count anew after a right one', async () => {
    const ana = await registerPerson(app);
    for (let round = 0; round < 2; round += 1) {
      for (let n = 1; n < limits.factorGuesses; n += 1)
        expectProblem((await prove(ana, { password: 'a wrong one' })) as never, 401, 'invalid_credentials');
      expectStatus(await prove(ana, { password }), 200);
    }
  });

  it('is asked for where somebody is made an owner, and for no other role', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    clock.pass(proofMs);
    const give = (role: string) => ana.call('PATCH', `/v1/conversations/${id}/members/${bob.id}`, { role });
    expectStatus(await give('admin'), 204);
    expectProblem(await give('owner'), 403, 'step_up_required');
    expectStatus(await prove(ana, { password }), 200);
    expectStatus(await give('owner'), 204);
  });
});
