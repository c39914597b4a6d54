import assert from 'node:assert/strict';
import type { AuditEntry, PasskeyCreation, Why } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { changeUserRole, reactivateUser, suspendUser } from '../../domain/support/index.ts';
import { type Person, password, registerDevice, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { Authenticator } from '../support/authenticator.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { type Door, by, byEachDoor } from '../support/doors.ts';
import { type SignedIn, answer, beginPasskeySignIn, challengeOf } from '../support/factors.ts';
import { type Meeting, openMeeting } from '../support/meeting.ts';
import { type Answer, call, expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

const operator = { operator: 'test' };

byEachDoor('an admin suspends people', (door: Door) => {
  let app: TestApp;
  let entrance: ReturnType<typeof by>;
  before(async () => {
    app = await startApp();
    entrance = by(door, app);
  });
  after(() => app.stop());
  afterEach(() => app.database.run(`update users set role = 'member' where role = 'admin'`));

  async function admin(): Promise<Person> {
    const person = await registerPerson(entrance, 'Olga');
    await app.database.run(`update users set role = 'admin' where id = '${person.id}'`);
    return person;
  }
  const suspend = (who: Person, whom: Pick<Person, 'id'>) => who.call('POST', `/v1/admin/users/${whom.id}/suspend`);
  const reactivate = (who: Person, whom: Pick<Person, 'id'>) =>
    who.call('POST', `/v1/admin/users/${whom.id}/reactivate`);
  const login = (person: Person) =>
    call(app.url, 'POST', '/v1/auth/login', { body: { identifier: person.email, password } });
  const process = () => {
    const [first] = app.processes;
    assert.ok(first);
    return first.runtime.deps;
  };

  it('who then neither stays, nor comes in, and learns no more than by a wrong password', async () => {
    const [olga, eve] = [await admin(), await registerPerson(app, 'Eve')];
    const socket = await connect(app.url, { token: eve.token });
    for (let times = 0; times < 2; times += 1) expectStatus(await suspend(olga, eve), 204);
    await socket.heard('notice', ({ code }) => code === 'session_revoked');
    expectProblem(await eve.call('GET', '/v1/me'), 401, 'session_revoked');
    expectProblem(await login(eve), 401, 'invalid_credentials');
    const body = { refreshToken: eve.session.refreshToken };
    expectProblem(await call(app.url, 'POST', '/v1/auth/refresh', { body }), 401, 'session_revoked');
    for (let times = 0; times < 2; times += 1) expectStatus(await reactivate(olga, eve), 204);
    expectProblem(await eve.call('GET', '/v1/me'), 401, 'session_revoked');
    expectStatus(await login(eve), 200);
    const { items } = expectStatus(await olga.call<{ items: AuditEntry[] }>('GET', '/v1/admin/audit'), 200);
    const about = items.filter(({ userId }) => userId === eve.id).map(({ action, by: who }) => [action, who]);
    assert.deepEqual(about, [
      ...[1, 2].map(() => ['reactivate_user', { userId: olga.id }]),
      ...[1, 2].map(() => ['suspend_user', { userId: olga.id }]),
    ]);
  });

  it('and nobody else may, or may learn whether there is such a person', async () => {
    const olga = await admin();
    const [ana, bob] = [await registerPerson(entrance, 'Ana'), await registerPerson(entrance, 'Bob')];
    await app.database.run(`update users set role = 'operator' where id = '${ana.id}'`);
    expectProblem(await suspend(ana, bob), 403, 'forbidden');
    expectProblem(await reactivate(ana, bob), 403, 'forbidden');
    const nobody = { id: '01900000-0000-7000-8000-000000000000' };
    expectProblem(await suspend(olga, nobody), 404, 'not_found');
    expectProblem(await reactivate(olga, nobody), 404, 'not_found');
  });

  it('but the last admin stays one: not suspended, not given another role', async () => {
    const olga = await admin();
    expectProblem(await suspend(olga, olga), 409, 'last_admin');
    await assert.rejects(changeUserRole(process(), operator, olga.id as UserId, 'member'), { code: 'last_admin' });
    expectStatus(await olga.call('GET', '/v1/admin/audit'), 200);
    const other = await admin();
    await suspendUser(process(), operator, other.id as UserId);
    expectProblem(await suspend(olga, olga), 409, 'last_admin');
    await reactivateUser(process(), operator, other.id as UserId);
    expectStatus(await suspend(olga, olga), 204);
  });

  it('and of two who suspend each other at the same moment one stays', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [one, other] = [await admin(), await admin()];
      // A socket may close on its answer: whoever asks by it may be the one who is suspended.
      await Promise.allSettled([suspend(one, other), suspend(other, one)]);
      const { rows } = await app.database.run(`select id from users where role = 'admin' and status = 'active'`);
      assert.equal(rows.length, 1);
      await app.database.run(`update users set role = 'member' where role = 'admin'`);
    }
  });

  it('and six who suspend each other and themselves, all at once, are each answered, and one stays', async () => {
    for (let round = 0; round < 5; round += 1) {
      const admins = await Promise.all(Array.from({ length: 6 }, admin));
      const asked = admins.flatMap((who) => admins.map((whom) => suspend(who, whom)));
      const answers = (await Promise.allSettled(asked)).flatMap((each) =>
        each.status === 'fulfilled' ? [each.value] : [],
      );
      const other = answers.filter(({ status }) => ![204, 401, 403, 409].includes(status));
      assert.deepEqual(
        other.map(({ status, body }) => [status, body]),
        [],
      );
      const { rows } = await app.database.run(`select id from users where role = 'admin' and status = 'active'`);
      assert.equal(rows.length, 1);
      const {
        rows: [counted],
      } = await app.database.run('select deadlocks from pg_stat_database where datname = current_database()');
      assert.equal(Number(counted?.deadlocks), 0);
      await app.database.run(`update users set role = 'member' where role = 'admin'`);
    }
  });
});

describe('who is suspended', () => {
  let hand: ByHand;
  before(async () => {
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  const idOf = (person: Person) => person.id as UserId;

  it('gets no session by a sign-in that was under way', async () => {
    const eve = await registerPerson(hand.app, 'Eve');
    const body = { identifier: eve.email, password };
    const logins = Array.from({ length: 8 }, () => call(hand.app.url, 'POST', '/v1/auth/login', { body }));
    await Promise.race(logins);
    await suspendUser(hand.deps, operator, idOf(eve));
    await Promise.all(logins);
    assert.deepEqual(await hand.rows('select id from sessions where user_id = $1 and revoked_at is null', eve.id), []);
  });

  it('is told of nothing, neither of what waited nor of what comes, and support sees why', async () => {
    const { ana, bob, direct } = await hand.pair();
    const waited = await send(ana, direct.id, 'before');
    while ((await hand.arm()) > 0);
    await suspendUser(hand.deps, operator, idOf(bob));
    const later = await send(ana, direct.id, 'meanwhile');
    hand.pass(3_600_000);
    await hand.walk(bob);
    assert.deepEqual([hand.push.sent, hand.email.sent, hand.sms.sent], [[], [], []]);
    await hand.app.database.run(`update users set role = 'support' where id = '${ana.id}'`);
    for (const { id } of [waited, later]) {
      const { terminal } = expectStatus(
        await ana.call<Why>('GET', `/v1/admin/messages/${id}/why?userId=${bob.id}`),
        200,
      );
      assert.equal(terminal.reason, 'account_inactive');
    }
  });

  it('is told again of what comes once they were let in', async () => {
    const { ana, bob, direct } = await hand.pair();
    await suspendUser(hand.deps, operator, idOf(bob));
    await send(ana, direct.id, 'meanwhile');
    while ((await hand.arm()) > 0);
    await reactivateUser(hand.deps, operator, idOf(bob));
    const body = { identifier: bob.email, password };
    const { session } = expectStatus(
      await call<{ session: { accessToken: string } }>(hand.app.url, 'POST', '/v1/auth/login', { body }),
      200,
    );
    const token = session.accessToken;
    await registerDevice({
      ...bob,
      call: (method, path, sent) => call(hand.app.url, method, path, { token, body: sent }),
    });
    await send(ana, direct.id, 'again');
    const story = await hand.walk(bob);
    hand.pass(60_000);
    assert.ok([...story, ...(await hand.walk(bob))].includes('push'));
  });
});

describe('who is suspended at the moment in which a factor lets them in', () => {
  let app: TestApp;
  let meeting: Meeting;
  before(async () => {
    app = await startApp();
    meeting = await openMeeting(app);
  });
  after(async () => {
    await meeting.close();
    await app.stop();
  });

  /** Somebody with a passkey, one step before each way in by it. */
  async function atTheDoor() {
    const [ana, key] = [await registerPerson(app), new Authenticator()];
    const asked = expectStatus(await ana.call<PasskeyCreation>('POST', '/v1/me/passkeys/begin'), 200);
    const body = { name: 'Phone', passkey: key.register(asked) };
    const added = await ana.call<{ recoveryCodes: string[] }>('POST', '/v1/me/passkeys', body);
    const [recoveryCode] = expectStatus(added, 201).recoveryCodes;
    const { challenge } = await challengeOf(app, ana);
    const passkey = key.answer(await beginPasskeySignIn(app));
    return {
      ana,
      'a recovery code': () => answer(app, { challenge, recoveryCode }),
      // From a device that had none before, which stands in the audit.
      'a passkey': () =>
        call<SignedIn>(app.url, 'POST', '/v1/auth/passkey', { body: { passkey, deviceName: 'Another one' } }),
    };
  }
  const suspend = ({ id }: Person) =>
    suspendUser((app.processes[0] ?? assert.fail()).runtime.deps, operator, id as UserId);
  const openSessions = async ({ id }: Person) =>
    (await app.database.run(`select from sessions where user_id = '${id}' and revoked_at is null`)).rowCount;

  for (const way of ['a recovery code', 'a passkey'] as const) {
    it(`has no session by ${way}, where that came first`, async () => {
      const { ana, [way]: signIn } = await atTheDoor();
      const [came] = await meeting.meet<Answer<SignedIn> | void>(
        'select from audit_end where $1::text is not null for update',
        ana.id,
        [signIn, () => suspend(ana)],
      );
      const { session } = expectStatus(came as Answer<SignedIn>, 200);
      assert.equal(await openSessions(ana), 0);
      await reactivateUser((app.processes[0] ?? assert.fail()).runtime.deps, operator, ana.id as UserId);
      const body = { refreshToken: session.refreshToken };
      expectProblem(await call(app.url, 'POST', '/v1/auth/refresh', { body }), 401, 'session_revoked');
    });

    it(`is not let in by ${way}, where that came second`, async () => {
      const { ana, [way]: signIn } = await atTheDoor();
      const [, came] = await meeting.meet<Answer<SignedIn> | void>(
        'select from users where id = $1 for update',
        ana.id,
        [() => suspend(ana), signIn],
      );
      expectProblem(came as never, 401, 'invalid_credentials');
      assert.equal(await openSessions(ana), 0);
    });
  }
});
