import assert from 'node:assert/strict';
import { type FactorNoticeKind, NoticeKind } from '../../contracts/workflows/send-notice.ts';
import type { PasskeyCreation, Passkey } from '../../contracts/entities/index.ts';
import { languageNames, wordingFor } from '../../domain/wording/index.ts';
import { type Person, phoneNumber, registerDevice, registerPerson, verifyContacts } from '../factories/person.ts';
import type { TestApp } from '../setup/app.ts';
import { Authenticator } from '../support/authenticator.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { Browser, type Elsewhere, somebody, startElsewhere, toldAt, visit } from '../support/elsewhere.ts';
import { answer, challengeOf, switchOnApp } from '../support/factors.ts';
import { inbox, waitFor } from '../support/inbox.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

const others = [
  ...(['password_forgotten', 'password_changed', 'new_sign_in'] as const),
  ...(['factors_removed', 'token_made', 'contact_changed'] as const),
] as const;
const noticeKinds = NoticeKind.exclude(others).options satisfies FactorNoticeKind[];

describe('what was done with how somebody signs in is told to them', () => {
  let place: Elsewhere;
  let app: TestApp;
  let clock: Clock;
  before(async function () {
    this.timeout(60_000);
    place = await startElsewhere({ processes: [['api', 'realtime'], ['relay'], ['worker']] });
    ({ app } = place);
    clock = clockOf({ processes: app.processes.slice(0, 1) });
  });
  after(() => place.stop());

  const verified = async (locale: string): Promise<Person> => {
    const person = await registerPerson(app, 'Ana', { locale });
    await verifyContacts(app, person);
    // The code that was asked for with the account.
    await waitFor(app, { to: person.email, channel: 'email' });
    return person;
  };

  const linkAndUnlink = async (person: Person) => {
    const { url } = expectStatus(await person.call<{ url: string }>('POST', '/v1/me/identities/github', {}), 200);
    const browser = new Browser();
    const { code } = toldAt((await browser.go(await visit(browser, url, somebody()))).to);
    expectStatus(await person.call('POST', '/v1/me/identities', { code }), 201);
    expectStatus(await person.call('DELETE', '/v1/me/identities/github'), 204);
  };

  for (const locale of languageNames)
    it(`in the person’s language: ${locale}`, async () => {
      const { account } = wordingFor(locale).words;
      const ana = await verified(locale);
      const origin = String(app.env.HOMING_PUBLIC_URL);
      const phone = await switchOnApp(ana, clock);
      const { challenge } = await challengeOf(app, ana);
      expectStatus(await answer(app, { challenge, recoveryCode: phone.recoveryCodes[0] }), 200);
      expectStatus(await ana.call('POST', '/v1/me/recovery-codes'), 200);
      expectStatus(await ana.call('DELETE', '/v1/me/totp'), 204);
      const options = expectStatus(await ana.call<PasskeyCreation>('POST', '/v1/me/passkeys/begin'), 200);
      const added = { name: 'Laptop', passkey: new Authenticator().register(options, { origin }) };
      const { passkey } = expectStatus(await ana.call<{ passkey: Passkey }>('POST', '/v1/me/passkeys', added), 201);
      expectStatus(await ana.call('DELETE', `/v1/me/passkeys/${passkey.id}`), 204);
      await linkAndUnlink(ana);
      const [, ...mails] = await waitFor(app, { to: ana.email, channel: 'email' }, 1 + noticeKinds.length);
      const texts = mails.map(({ text }) => text?.trim()).sort();
      assert.deepEqual(texts, noticeKinds.map((kind) => `${account[kind]}\n\n${account.ifNotYou}`).sort());
      for (const { title } of mails) assert.equal(title, account.subject);
    });

  it('support took their factors away, which is told everywhere and shown on no screen', async () => {
    const ana = await verified('en');
    const phone = phoneNumber();
    await verifyContacts(app, ana, phone);
    const token = await registerDevice(ana);
    await switchOnApp(ana, clock);
    const olga = await registerPerson(app, 'Olga');
    await app.database.run(`update users set role = 'admin' where id = '${olga.id}'`);
    expectStatus(await olga.call('DELETE', `/v1/admin/users/${ana.id}/factors`), 200);
    const { account, sms } = wordingFor('en').words;
    const mails = await waitFor(app, { to: ana.email, channel: 'email' }, 3);
    const said = `${account.factors_removed}\n\n${account.ifNotYou}`;
    assert.ok(mails.some(({ text }) => text?.trim() === said));
    const texts = await until(
      () => inbox(app, { to: phone }),
      (all) => all.some(({ text }) => text === sms.factors_removed),
    );
    assert.ok(texts.length > 0);
    assert.deepEqual(await inbox(app, { to: token }), []);
  });

  it('a token for a program was made for them, or for a bot of theirs', async () => {
    const ana = await verified('en');
    const { account } = wordingFor('en').words;
    const token = { name: 'Deploy', scopes: ['profile:read'] };
    expectStatus(await ana.call('POST', '/v1/me/tokens', token), 201);
    expectStatus(await ana.call('POST', '/v1/bots', { displayName: 'Robot', token }), 201);
    const [, ...mails] = await waitFor(app, { to: ana.email, channel: 'email' }, 3);
    const said = `${account.token_made}\n\n${account.ifNotYou}`;
    assert.deepEqual(
      mails.map(({ text }) => text?.trim()),
      [said, said],
    );
  });

  it('and by a text, to who has proved a number', async () => {
    const ana = await registerPerson(app, 'Ana', { locale: 'de' });
    const phone = phoneNumber();
    await verifyContacts(app, ana, phone);
    await switchOnApp(ana, clock);
    const [text] = await waitFor(app, { to: phone, channel: 'sms' });
    assert.equal(text?.text, wordingFor('de').words.sms.totp_added);
  });

  describe('so is another address or number', () => {
    const ways = {
      email: { path: '/v1/me/email', next: () => `new.${phoneNumber().slice(1)}@example.test` },
      phone: { path: '/v1/me/phone', next: phoneNumber },
    };
    for (const [field, { path, next }] of Object.entries(ways))
      it(`at those that were proved before, and stands in the audit: ${field}`, async () => {
        const { account, sms } = wordingFor('en').words;
        const [ana, formerPhone, target] = [await verified('en'), phoneNumber(), next()];
        await verifyContacts(app, ana, formerPhone);
        const proveIt = async () => {
          const to = { to: target, channel: field === 'email' ? 'email' : 'sms' };
          const sent = (await inbox(app, to)).length;
          expectStatus(await ana.call('POST', path, { [field]: target }), 202);
          const code = /\b\d{6}\b/.exec((await waitFor(app, to, sent + 1)).at(-1)?.text ?? '')?.[0];
          expectStatus(await ana.call('POST', `${path}/verify`, { code }), 200);
        };
        await proveIt();
        const [, mail] = await waitFor(app, { to: ana.email, channel: 'email' }, 2);
        assert.equal(mail?.text?.trim(), `${account.contact_changed}\n\n${account.ifNotYou}`);
        const [text] = await waitFor(app, { to: formerPhone, channel: 'sms' });
        assert.equal(text?.text, sms.contact_changed);
        await proveIt();
        assert.equal((await inbox(app, { to: target })).length, 2, 'two codes, and no word of the change');
        const entries = `select from audit where action = 'change_contact' and actor_id = '${ana.id}' and user_id = '${ana.id}'`;
        assert.equal((await app.database.run(entries)).rowCount, 1, 'proving the same again changes nothing');
      });
  });

  it('holds no secret and no code', async () => {
    const ana = await verified('en');
    const phone = await switchOnApp(ana, clock);
    await waitFor(app, { to: ana.email, channel: 'email' }, 2);
    const all = JSON.stringify(await inbox(app, { to: ana.email }));
    for (const secret of [phone.secret, ...phone.recoveryCodes]) assert.equal(all.includes(secret), false);
  });

  it('and not to an address that nobody has proved to be theirs', async () => {
    const ana = await registerPerson(app);
    await switchOnApp(ana, clock);
    const owed = `select from outbox where topic = 'notice.owed' and user_id = '${ana.id}'`;
    assert.equal((await app.database.run(owed)).rowCount, 0);
    assert.equal((await app.database.run(`select from notices where user_id = '${ana.id}'`)).rowCount, 0);
  });
}).timeout(60_000);
