import assert from 'node:assert/strict';
import type { AuditEntry } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { changeUserRole } from '../../domain/support/index.ts';
import { type Person, password, registerPerson, signInAgain } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { answer, challengeOf, switchOnApp } from '../support/factors.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';

byEachDoor('the audit says of the safety of an account', (door) => {
  let app: TestApp & Entrance;
  let clock: Clock;
  let olga: Person;
  before(async () => {
    app = by(door, await startApp());
    clock = clockOf(app);
    olga = await registerPerson(app, 'Olga');
    await app.database.run(`update users set role = 'admin' where id = '${olga.id}'`);
  });
  after(() => app.stop());

  /** What befell somebody, the first first, and who did it. */
  const entriesOf = async ({ id }: Person) => {
    const { items } = expectStatus(await olga.call<{ items: AuditEntry[] }>('GET', '/v1/admin/audit?limit=100'), 200);
    return items.filter(({ userId }) => userId === id).toReversed();
  };
  const befell = async (person: Person) => (await entriesOf(person)).map(({ action, by: who }) => [action, who]);
  const self = ({ id }: Person) => ({ userId: id });
  const bySystem = { operator: 'homing' };

  it('that a session was ended, or all others, and not that somebody left', async () => {
    const ana = await registerPerson(app);
    const [one] = [await signInAgain(app, ana), await signInAgain(app, ana)];
    expectStatus(await ana.call('DELETE', `/v1/sessions/${one.session.id}`), 204);
    expectProblem(await ana.call('DELETE', `/v1/sessions/${one.session.id}`), 404, 'not_found');
    for (const revoked of [1, 0])
      assert.deepEqual(expectStatus(await ana.call('DELETE', '/v1/sessions'), 200), { revoked });
    expectStatus(await call(app.url, 'POST', '/v1/auth/logout', { token: ana.token }), 204);
    const ended = ['end_session', 'end_other_sessions'];
    assert.deepEqual(
      await befell(ana),
      ended.map((action) => [action, self(ana)]),
    );
  });

  it('that a recovery code was used, to sign in or to prove who somebody is', async () => {
    const ana = await registerPerson(app);
    const { recoveryCodes } = await switchOnApp(ana, clock);
    const { challenge } = await challengeOf(app, ana);
    expectStatus(await answer(app, { challenge, recoveryCode: recoveryCodes[0] }), 200);
    expectStatus(await ana.call('POST', '/v1/auth/step-up', { recoveryCode: recoveryCodes[1] }), 200);
    expectProblem(await ana.call('POST', '/v1/auth/step-up', { recoveryCode: recoveryCodes[1] }), 400, 'invalid_code');
    const said = ['change_factors', 'use_recovery_code', 'use_recovery_code'];
    assert.deepEqual(
      await befell(ana),
      said.map((action) => [action, self(ana)]),
    );
  });

  it('once, that somebody failed to prove who they are too often', async () => {
    const ana = await registerPerson(app);
    const prove = (secret: string) => ana.call('POST', '/v1/auth/step-up', { password: secret });
    for (let n = 0; n < limits.factorGuesses; n += 1) expectStatus((await prove('a wrong one')) as never, 401);
    assert.deepEqual(await befell(ana), []);
    for (let n = 0; n < 3; n += 1) expectProblem(await prove(password), 429, 'too_many_attempts');
    assert.deepEqual(await befell(ana), [['step_up_failures', self(ana)]]);
  });

  it('once, that a password was guessed at by who is signed in', async () => {
    const ana = await registerPerson(app);
    const change = () =>
      ana.call('POST', '/v1/me/password', { oldPassword: 'a wrong one', newPassword: 'another long battery staple' });
    for (let n = 0; n < limits.passwordTriesPerSessionAndHour; n += 1) expectStatus((await change()) as never, 401);
    assert.deepEqual(await befell(ana), []);
    for (let n = 0; n < 3; n += 1) expectProblem(await change(), 429, 'rate_limited');
    assert.deepEqual(await befell(ana), [['wrong_passwords', self(ana)]]);
  });

  it('once, that a password was guessed at by who is not, from wherever', async () => {
    const ana = await registerPerson(app);
    const login = (identifier: string) =>
      call(app.url, 'POST', '/v1/auth/login', { body: { identifier, password: 'a wrong one' } });
    for (let n = 0; n < limits.wrongPasswordsUnnotedPerHour; n += 1)
      expectProblem(await login(ana.email), 401, 'invalid_credentials');
    assert.deepEqual(await befell(ana), []);
    for (let n = 0; n < 3; n += 1) expectProblem(await login(ana.email.toUpperCase()), 401, 'invalid_credentials');
    assert.deepEqual(await befell(ana), [['wrong_passwords', bySystem]]);
  });

  it('which role somebody had and has; a change of nothing is none', async () => {
    const ana = await registerPerson(app);
    const { deps } = (app.processes[0] as (typeof app.processes)[number]).runtime;
    for (const role of ['support', 'support', 'member'] as const)
      await changeUserRole(deps, { operator: 'test' }, ana.id as UserId, role);
    const said = (await entriesOf(ana)).map(({ action, change }) => [action, change]);
    assert.deepEqual(said, [
      ['change_role', { from: 'member', to: 'support' }],
      ['change_role', { from: 'support', to: 'member' }],
    ]);
  });
});
