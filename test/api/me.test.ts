import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type { Device, Me, NotificationSettings } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { registerPeople, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { expectProblem, expectStatus } from '../support/rest.ts';

describe('me, devices and notification settings', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  it('changes my name, language and time zone, and shows others the name only', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const patch = { displayName: 'Anna', locale: 'pt-BR', timeZone: 'Europe/Lisbon' };
    const me = expectStatus(await ana.call<Me>('PATCH', '/v1/me', patch), 200);
    assert.deepEqual({ displayName: me.displayName, locale: me.locale, timeZone: me.timeZone }, patch);
    const seen = expectStatus(await bob.call('GET', `/v1/users/${ana.id}`), 200);
    assert.deepEqual(seen, { id: ana.id, displayName: 'Anna', createdAt: me.createdAt });
  });

  it('refuses a change that changes nothing and a zone that there is not', async () => {
    const ana = await registerPerson(app);
    expectProblem(await ana.call('PATCH', '/v1/me', {}), 400, 'invalid_input');
    assert.deepEqual(expectProblem(await ana.call('PATCH', '/v1/me', { timeZone: 'Nowhere' }), 400, 'invalid_input'), [
      'timeZone',
    ]);
  });

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

    it('refuse an If-Match that is no version', async () => {
      const ana = await registerPerson(app);
      const answer = await ana.call('PATCH', path, { preview: 'full' }, { 'if-match': 'yesterday' });
      assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), ['If-Match']);
    });
  });
});
