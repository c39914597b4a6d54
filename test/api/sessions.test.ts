import assert from 'node:assert/strict';
import type { Me, Session, SessionInfo } from '../../contracts/entities/index.ts';
import { networkOf } from '../../domain/accounts/network.ts';
import { createMac } from '../../platform/mac.ts';
import { type Person, password, phoneNumber, registerPerson, verifyContacts } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { inbox, waitFor } from '../support/inbox.ts';
import { call, expectStatus } from '../support/rest.ts';

describe('where somebody is signed in', function () {
  this.timeout(60_000);
  let app: TestApp;
  before(async () => {
    app = await startApp({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      env: { HOMING_TRUSTED_PROXIES: '1' },
    });
  });
  after(() => app.stop());

  const from = (address: string) => ({ 'x-forwarded-for': address });
  /** Registers by the test's own address, 127.0.0.1. */
  const somebody = async (locale = 'en') => {
    const person = await registerPerson(app, 'Ana', { locale });
    await verifyContacts(app, person);
    return person;
  };
  const signIn = async ({ email }: Person, address: string, deviceName?: string) => {
    const body = { identifier: email, password, deviceName };
    const headers = from(address);
    const answer = await call<{ user: Me; session: Session }>(app.url, 'POST', '/v1/auth/login', { body, headers });
    return expectStatus(answer, 200).session;
  };
  const listOf = async (token: string) =>
    expectStatus(await call<{ items: SessionInfo[] }>(app.url, 'GET', '/v1/sessions', { token }), 200).items;
  const networks = async (token: string) =>
    Object.fromEntries((await listOf(token)).map(({ id, network }) => [id, network]));

  it('is listed by device, by whether that is the same network, and by when it was used last, and by no address', async () => {
    const person = await somebody();
    const near = await signIn(person, '203.0.113.7', 'Phone');
    const beside = await signIn(person, '203.0.113.200', 'Laptop');
    const far = await signIn(person, '2001:db8:1:2::3', 'Tablet');
    assert.deepEqual(await networks(near.accessToken), {
      [near.id]: 'same',
      [beside.id]: 'same',
      [far.id]: 'other',
      [person.session.id]: 'other',
    });
    const body = { refreshToken: beside.refreshToken };
    expectStatus(await call(app.url, 'POST', '/v1/auth/refresh', { body, headers: from('2001:db8:1:ffff::1') }), 200);
    assert.equal((await networks(far.accessToken))[beside.id], 'same', 'it has moved');
    const [first] = await listOf(far.accessToken);
    assert.deepEqual([first?.deviceName, first?.network], ['Laptop', 'same'], 'the one that was used last');
    const { rows } = await app.database.run(`select s::text from sessions s where user_id = '${person.id}'`);
    assert.ok(!/203\.0|2001:db8|127\.0/.test(JSON.stringify(rows)));
  });

  it('is not known of what is from before that was noted', async () => {
    const person = await somebody();
    await app.database.run(`update sessions set network = null where user_id = '${person.id}'`);
    assert.deepEqual(Object.values(await networks(person.token)), [null]);
  });

  const words = { en: 'Somebody signed in', de: 'Jemand hat sich', es: 'Alguien ha iniciado', ar: 'سجّل أحدهم' };
  for (const [locale, text] of Object.entries(words))
    it(`is told by mail where it is somewhere new, and nowhere else (${locale})`, async () => {
      const person = await somebody(locale);
      await signIn(person, '127.0.0.9');
      await signIn(person, '198.51.100.1', 'Evil {at} <b>phone</b>');
      await waitFor(app, { to: person.email, text });
      await signIn(person, '198.51.100.2', 'Evil {at} <b>phone</b>');
      await signIn(person, '192.0.2.1', 'Laptop');
      await waitFor(app, { to: person.email, text }, 2);
      const mails = await inbox(app, { to: person.email, text });
      assert.equal(mails.length, 2);
      assert.ok(!JSON.stringify(mails).includes('Evil'), 'what a stranger calls a device stands in no mail of ours');
    });

  it('is told by text, too, where a number is proved theirs', async () => {
    const [person, phone] = [await registerPerson(app), phoneNumber()];
    await verifyContacts(app, person, phone);
    await signIn(person, '198.51.100.1', 'Laptop');
    await waitFor(app, { to: phone, text: words.en });
  });

  it('is told to nobody at an address that is not proved theirs', async () => {
    const person = await registerPerson(app);
    await signIn(person, '198.51.100.1', 'Laptop');
    const other = await somebody();
    await signIn(other, '198.51.100.1', 'Laptop');
    await waitFor(app, { to: other.email, text: words.en });
    assert.deepEqual(await inbox(app, { to: person.email, text: words.en }), []);
  });
});

describe('a network', () => {
  const mac = createMac('a secret of at least thirty-two characters');
  const [ana, bob] = ['0190a000-0000-7000-8000-000000000001', '0190a000-0000-7000-8000-000000000002'];
  const of = (address: string | undefined, userId = ana) =>
    networkOf({ mac }, userId as never, address)?.toString('hex');

  it('is the first three bytes of the one kind of address and the first 48 bits of the other', () => {
    for (const [one, other] of [
      ['203.0.113.7', '203.0.113.250'],
      ['203.0.113.7', '::ffff:203.0.113.9'],
      ['2001:db8:1::1', '2001:0db8:0001:ffff:1:2:3:4'],
      ['fe80::1%eth0', 'fe80::2'],
      ['::1', '0:0:0::2'],
      ['2001:db8::1', '2001:db8:0:1::1'],
    ] as const)
      assert.equal(of(one), of(other), `${one} ${other}`);
    for (const [one, other] of [
      ['203.0.113.7', '203.0.114.7'],
      ['2001:db8:1::1', '2001:db8:2::1'],
    ] as const)
      assert.notEqual(of(one), of(other), `${one} ${other}`);
  });

  it('tells of two people nothing together, and is none where there is no address', () => {
    assert.notEqual(of('203.0.113.7', ana), of('203.0.113.7', bob));
    assert.deepEqual([of(undefined), of(''), of('nowhere')], [undefined, undefined, undefined]);
  });
});
