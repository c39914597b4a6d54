import assert from 'node:assert/strict';
import type { AuditEntry, PasskeyCreation, SecondFactorNeeded } from '../../contracts/entities/index.ts';
import type { SessionId, UserId } from '../../contracts/ids.ts';
import { removeFactors } from '../../domain/support/index.ts';
import { type Person, password, registerPerson, signInAgain, verifyContacts } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { Authenticator } from '../support/authenticator.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { by, byEachDoor } from '../support/doors.ts';
import { answer, challengeOf, login, switchOnApp } from '../support/factors.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

const none = { totp: false, passkeys: 0, recoveryCodes: 0, sessions: 0 };

byEachDoor('an admin takes away the factors of who has lost them', (door) => {
  let app: TestApp;
  let entrance: ReturnType<typeof by>;
  let clock: Clock;
  let olga: Person;
  before(async () => {
    app = await startApp();
    entrance = by(door, app);
    clock = clockOf(app);
  });
  after(() => app.stop());
  beforeEach(async () => {
    olga = await admin('Olga');
  });
  afterEach(() => app.database.run(`update users set role = 'member' where role = 'admin'`));

  async function admin(name: string): Promise<Person> {
    const person = await registerPerson(entrance, name);
    await app.database.run(`update users set role = 'admin' where id = '${person.id}'`);
    return person;
  }
  const remove = (who: Person, whom: Pick<Person, 'id'>) =>
    who.call<typeof none>('DELETE', `/v1/admin/users/${whom.id}/factors`);
  const deps = () => {
    const [first] = app.processes;
    assert.ok(first);
    return first.runtime.deps;
  };
  const addPasskey = async (person: Person) => {
    const asked = expectStatus(await person.call<PasskeyCreation>('POST', '/v1/me/passkeys/begin'), 200);
    const passkey = new Authenticator().register(asked);
    expectStatus(await person.call('POST', '/v1/me/passkeys', { name: 'Laptop', passkey }), 201);
  };
  const rowsOf = async (table: string, { id }: Person) =>
    (await app.database.run(`select 1 from ${table} where user_id = '${id}'`)).rows.length;

  it('who then signs in by the password alone, and is signed in nowhere else', async () => {
    const ana = await registerPerson(app, 'Ana');
    const elsewhere = await signInAgain(app, ana);
    await switchOnApp(ana, clock);
    await addPasskey(ana);
    const socket = await connect(app.url, { token: ana.token });
    const removed = expectStatus(await remove(olga, ana), 200);
    assert.deepEqual(removed, { totp: true, passkeys: 1, recoveryCodes: 10, sessions: 2 });
    await socket.heard('notice', ({ code }) => code === 'session_revoked');
    for (const each of [ana, elsewhere]) expectProblem(await each.call('GET', '/v1/me'), 401, 'session_revoked');
    const body = { refreshToken: ana.session.refreshToken };
    expectProblem(await call(app.url, 'POST', '/v1/auth/refresh', { body }), 401, 'session_revoked');
    for (const table of ['totp', 'passkeys', 'recovery_codes']) assert.equal(await rowsOf(table, ana), 0, table);
    expectStatus(await login(app, ana), 200);
    assert.deepEqual(expectStatus(await remove(olga, ana), 200), none);
  });

  it('and whatever was on its way opens nothing', async () => {
    const ana = await registerPerson(app, 'Ana');
    await verifyContacts(app, ana);
    const phone = await switchOnApp(ana, clock);
    const { challenge } = await challengeOf(app, ana);
    expectStatus(await ana.call('POST', '/v1/me/email', { email: `new.${ana.email}` }), 202);
    expectStatus(await ana.call('POST', '/v1/me/passkeys/begin'), 200);
    expectStatus(await remove(olga, ana), 200);
    expectProblem((await answer(app, { challenge, code: phone.code() })) as never, 410, 'code_expired');
    for (const table of ['challenges', 'verifications', 'oauth_tickets', 'password_resets'])
      assert.equal(await rowsOf(table, ana), 0, table);
  });

  it('of sign-ins by a factor at the same moment none leaves a session', async () => {
    for (let round = 0; round < 5; round += 1) {
      const ana = await registerPerson(app, 'Ana');
      const phone = await switchOnApp(ana, clock);
      const challenges = await Promise.all([1, 2, 3, 4].map(() => challengeOf(app, ana)));
      const proofs = [{ code: phone.code() }, ...phone.recoveryCodes.map((recoveryCode) => ({ recoveryCode }))];
      const answers = challenges.map(({ challenge }: SecondFactorNeeded, index) =>
        answer(app, { challenge, ...proofs[index] }),
      );
      const [removed] = await Promise.all([remove(olga, ana), ...answers]);
      expectStatus(removed, 200);
      const open = `select 1 from sessions where user_id = '${ana.id}' and revoked_at is null`;
      assert.equal((await app.database.run(open)).rows.length, 0);
    }
  });

  it('but nobody else may, or may learn whether there is such a person', async () => {
    const [ana, bob] = [await registerPerson(entrance, 'Ana'), await registerPerson(entrance, 'Bob')];
    await app.database.run(`update users set role = 'operator' where id = '${ana.id}'`);
    expectProblem((await remove(ana, bob)) as never, 403, 'forbidden');
    const nobody = { id: '01900000-0000-7000-8000-000000000000' };
    expectProblem((await remove(olga, nobody)) as never, 404, 'not_found');
  });

  it('nor to themselves, which the last admin is; at the command line it can be done', async () => {
    const phone = await switchOnApp(olga, clock);
    const nobody = { userId: '01900000-0000-7000-8000-000000000000' as UserId };
    const refused = await remove(olga, olga);
    expectProblem(refused as never, 403, 'forbidden');
    await assert.rejects(
      removeFactors(deps(), { ...nobody, sessionId: olga.session.id as SessionId }, olga.id as UserId),
      { code: 'last_admin' },
    );
    const other = await admin('Odin');
    expectProblem((await remove(olga, olga)) as never, 403, 'forbidden');
    expectStatus(await remove(other, olga), 200);
    await app.database.run(`update users set role = 'member' where id = '${other.id}'`);
    assert.equal(phone.recoveryCodes.length, 10);
    const again = await signInAgain(app, olga);
    await switchOnApp(again, clock);
    const removed = await removeFactors(deps(), { operator: 'test' }, olga.id as UserId);
    assert.deepEqual([removed.totp, removed.sessions], [true, 1]);
    expectStatus(await call(app.url, 'POST', '/v1/auth/login', { body: { identifier: olga.email, password } }), 200);
  });

  it('and it stands in the audit, also where there was nothing to take away', async () => {
    const ana = await registerPerson(app, 'Ana');
    expectStatus(await remove(olga, ana), 200);
    const { items } = expectStatus(await olga.call<{ items: AuditEntry[] }>('GET', '/v1/admin/audit'), 200);
    const about = items.filter(({ userId }) => userId === ana.id).map(({ action, by: who }) => [action, who]);
    assert.deepEqual(about[0], ['remove_factors', { userId: olga.id }]);
  });
});
