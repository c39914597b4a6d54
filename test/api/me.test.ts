import assert from 'node:assert/strict';
import { randomBytes, randomUUIDv7 } from 'node:crypto';
import type { Device, Me, NotificationSettings, Session } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { password, registerPeople, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';

byEachDoor('me, devices and notification settings', (door) => {
  let app: TestApp & Entrance;
  before(async () => {
    app = by(door, await startApp());
  });
  after(() => app.stop());

  it('changes my name, language and time zone, and shows others the name only', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const patch = { displayName: 'Anna', locale: 'pt-BR', timeZone: 'Europe/Lisbon' };
    const me = expectStatus(await ana.call<Me>('PATCH', '/v1/me', patch), 200);
    assert.deepEqual({ displayName: me.displayName, locale: me.locale, timeZone: me.timeZone }, patch);
    const seen = expectStatus(await bob.call('GET', `/v1/users/${ana.id}`), 200);
    assert.deepEqual(seen, { id: ana.id, displayName: 'Anna', kind: 'person', createdAt: me.createdAt });
  });

  it('refuses a change that changes nothing and a zone that there is not', async () => {
    const ana = await registerPerson(app);
    expectProblem(await ana.call('PATCH', '/v1/me', {}), 400, 'invalid_input');
    assert.deepEqual(expectProblem(await ana.call('PATCH', '/v1/me', { timeZone: 'Nowhere' }), 400, 'invalid_input'), [
      'timeZone',
    ]);
  });

  it('takes a name of the greatest length and none beyond', async () => {
    const ana = await registerPerson(app);
    const rename = (length: number) => ana.call('PATCH', '/v1/me', { displayName: 'x'.repeat(length) });
    expectStatus(await rename(limits.displayNameLength), 200);
    assert.deepEqual(expectProblem(await rename(limits.displayNameLength + 1), 400, 'invalid_input'), ['displayName']);
  });

  const signIn = async (identifier: string) => {
    const body = { identifier, password };
    const answer = await call<{ session: Session }>(app.url, 'POST', '/v1/auth/login', { body });
    return expectStatus(answer, 200).session.accessToken;
  };

  describe('devices', () => {
    const put = (person: { call: (...args: never[]) => unknown }, id: string, body: object) =>
      (person as Awaited<ReturnType<typeof registerPerson>>).call<Device>('PUT', `/v1/me/devices/${id}`, body);

    it('are registered, refreshed and forgotten; the push token is never shown', async () => {
      const ana = await registerPerson(app);
      const id = randomUUIDv7();
      const device = expectStatus(
        await put(ana, id, { platform: 'ios', pushToken: `secret-${id}`, appVersion: '1.0' }),
        200,
      );
      assert.equal(device.hasPushToken, true);
      assert.ok(!JSON.stringify(device).includes(`secret-${id}`));
      const refreshed = expectStatus(await put(ana, id, { platform: 'ios', pushPermission: 'denied' }), 200);
      assert.deepEqual(
        [refreshed.hasPushToken, refreshed.pushPermission, refreshed.appVersion],
        [true, 'denied', '1.0'],
      );
      const cleared = expectStatus(await put(ana, id, { platform: 'ios', pushToken: null }), 200);
      assert.equal(cleared.hasPushToken, false);
      expectStatus(await ana.call('DELETE', `/v1/me/devices/${id}`), 204);
      assert.deepEqual(expectStatus(await ana.call('GET', '/v1/me/devices'), 200), { items: [] });
    });

    it('a push token belongs to who registered it last', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const token = `shared-${randomUUIDv7()}`;
      expectStatus(await put(ana, randomUUIDv7(), { platform: 'android', pushToken: token }), 200);
      expectStatus(await put(bob, randomUUIDv7(), { platform: 'android', pushToken: token }), 200);
      const devicesOf = async (person: typeof ana) =>
        expectStatus(await person.call<{ items: Device[] }>('GET', '/v1/me/devices'), 200).items;
      assert.deepEqual(
        (await devicesOf(ana)).map(({ hasPushToken }) => hasPushToken),
        [false],
      );
      assert.deepEqual(
        (await devicesOf(bob)).map(({ hasPushToken }) => hasPushToken),
        [true],
      );
    });

    it('are limited in number', async () => {
      const ana = await registerPerson(app);
      for (let n = 0; n < limits.devicesPerUser; n += 1)
        expectStatus(await put(ana, randomUUIDv7(), { platform: 'web' }), 200);
      expectProblem(await put(ana, randomUUIDv7(), { platform: 'web' }), 409, 'limit_reached');
      const { items } = expectStatus(await ana.call<{ items: Device[] }>('GET', '/v1/me/devices'), 200);
      assert.equal(items.length, limits.devicesPerUser);
    });

    it('are limited in number also when all come at once', async () => {
      const ana = await registerPerson(app);
      const many = Array.from({ length: limits.devicesPerUser + 5 }, () =>
        put(ana, randomUUIDv7(), { platform: 'web' }),
      );
      const statuses = (await Promise.all(many)).map(({ status }) => status).sort();
      assert.deepEqual(statuses, [...Array(limits.devicesPerUser).fill(200), ...Array(5).fill(409)]);
    });

    it('take a push token of the greatest length and none beyond, also one that is hard to compress', async () => {
      const ana = await registerPerson(app);
      const random = randomBytes(limits.pushTokenBytes).toString('base64url');
      const longest = random.slice(0, limits.pushTokenBytes);
      expectStatus(await put(ana, randomUUIDv7(), { platform: 'ios', pushToken: longest }), 200);
      const beyond = await put(ana, randomUUIDv7(), { platform: 'ios', pushToken: `${longest}x` });
      assert.deepEqual(expectProblem(beyond as never, 400, 'invalid_input'), ['pushToken']);
    });

    it('of two accounts that register one token at the same moment one has it', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      for (let n = 0; n < 10; n += 1) {
        const pushToken = `race-${randomUUIDv7()}`;
        const both = await Promise.all(
          [ana, bob].map((person) => put(person, randomUUIDv7(), { platform: 'ios', pushToken })),
        );
        for (const answer of both) expectStatus(answer, 200);
        const holders = await app.database.run(`select from devices where push_token = '${pushToken}'`);
        assert.equal(holders.rowCount, 1);
      }
    });

    it('are silenced by the end of the session that registered them, and by no other', async () => {
      const ana = await registerPerson(app);
      const phone = await signIn(ana.email);
      const id = randomUUIDv7();
      const body = { platform: 'ios', pushToken: `silenced-${id}` };
      expectStatus(await call(app.url, 'PUT', `/v1/me/devices/${id}`, { token: phone, body }), 200);
      const has = async () => {
        const { items } = expectStatus(await ana.call<{ items: Device[] }>('GET', '/v1/me/devices'), 200);
        return items[0]?.hasPushToken;
      };
      expectStatus(await call(app.url, 'POST', '/v1/auth/logout', { token: await signIn(ana.email) }), 204);
      assert.equal(await has(), true);
      expectStatus(await call(app.url, 'POST', '/v1/auth/logout', { token: phone }), 204);
      assert.equal(await has(), false);
    });

    it('of somebody else cannot be forgotten', async () => {
      const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
      const id = randomUUIDv7();
      expectStatus(await put(ana, id, { platform: 'web' }), 200);
      expectProblem(await eve.call('DELETE', `/v1/me/devices/${id}`), 404, 'not_found');
    });
  });

  describe('notification settings', () => {
    const path = '/v1/me/notifications';

    it('begin with defaults and change only what is named', async () => {
      const ana = await registerPerson(app);
      const first = await ana.call<NotificationSettings>('GET', path);
      assert.deepEqual(expectStatus(first, 200).channels, { push: true, email: true, sms: false });
      const changed = expectStatus(
        await ana.call<NotificationSettings>('PATCH', path, { channels: { sms: true } }),
        200,
      );
      assert.deepEqual(changed, { ...first.body, channels: { push: true, email: true, sms: true } });
    });

    it('change for one of two writers that saw the same version', async () => {
      const ana = await registerPerson(app);
      const etag = (await ana.call('GET', path)).headers.get('etag') ?? '';
      const change = (preview: string) => ana.call('PATCH', path, { preview }, { 'if-match': etag });
      const answers = await Promise.all([change('full'), change('generic')]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412]);
      expectProblem(await change('full'), 412, 'precondition_failed');
    });

    it('hold the time to read something before it is pushed: two minutes at most, none, or the deployment’s own', async () => {
      const ana = await registerPerson(app);
      const change = (graceSeconds: unknown) => ana.call<NotificationSettings>('PATCH', path, { graceSeconds });
      for (const seconds of [limits.graceSeconds, 0, null])
        assert.equal(expectStatus(await change(seconds), 200).graceSeconds, seconds);
      for (const wrong of [limits.graceSeconds + 1, -1, 1.5, '20'])
        assert.deepEqual(expectProblem(await change(wrong), 400, 'invalid_input'), ['graceSeconds']);
    });

    describe('quiet hours', () => {
      const night = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '22:00', until: '07:00' };
      const quiet = (...windows: object[]) => ({ quietHours: { windows, email: false } });

      it('are kept, changed as a whole and taken away', async () => {
        const ana = await registerPerson(app);
        const change = async (patch: object) =>
          expectStatus(await ana.call<NotificationSettings>('PATCH', path, patch), 200);
        assert.deepEqual((await change(quiet(night))).quietHours, quiet(night).quietHours);
        const doNotDisturbUntil = '2030-01-01T07:00:00.000Z';
        const set = await change({ doNotDisturbUntil, urgentThrough: 'nobody' });
        assert.deepEqual(
          [set.quietHours, set.doNotDisturbUntil, set.urgentThrough],
          [quiet(night).quietHours, doNotDisturbUntil, 'nobody'],
        );
        assert.equal((await change({ quietHours: null })).quietHours, null);
      });

      it('are at most so many windows', async () => {
        const ana = await registerPerson(app);
        const windows = Array.from({ length: limits.quietWindows }, () => night);
        expectStatus(await ana.call('PATCH', path, quiet(...windows)), 200);
        const tooMany = await ana.call('PATCH', path, quiet(...windows, night));
        assert.deepEqual(expectProblem(tooMany, 400, 'invalid_input'), ['quietHours.windows']);
      });

      it('leave some time of the week', async () => {
        const ana = await registerPerson(app);
        const day = { ...night, from: '07:00', until: '22:00' };
        const whole = await ana.call('PATCH', path, quiet(night, day));
        assert.deepEqual(expectProblem(whole, 400, 'invalid_input'), ['quietHours.windows']);
        expectStatus(await ana.call('PATCH', path, quiet(night, { ...day, until: '21:59' })), 200);
        const always = await ana.call('PATCH', path, quiet({ ...night, until: '22:00' }));
        assert.deepEqual(expectProblem(always, 400, 'invalid_input'), ['quietHours.windows']);
      });

      it('are times of day', async () => {
        const ana = await registerPerson(app);
        const answer = await ana.call('PATCH', path, quiet({ ...night, from: '24:00' }));
        assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), ['quietHours.windows.0.from']);
      });
    });

    it('refuse an If-Match that is no version', async () => {
      const ana = await registerPerson(app);
      const answer = await ana.call('PATCH', path, { preview: 'full' }, { 'if-match': 'yesterday' });
      assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), ['If-Match']);
    });
  });
});
