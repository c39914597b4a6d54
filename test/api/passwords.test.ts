import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Device, Me, Session } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import {
  type Person,
  password,
  phoneNumber,
  registerDevice,
  registerPeople,
  registerPerson,
  signInAgain,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { by, byEachDoor } from '../support/doors.ts';
import { holdNext } from '../support/held.ts';
import { inbox, waitFor } from '../support/inbox.ts';
import { until } from '../support/until.ts';
import { type Answer, call, expectProblem, expectStatus } from '../support/rest.ts';

const another = 'staple battery horse correct';

describe('passwords', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['relay', 'worker'],
      ],
    });
  });
  after(() => app.stop());

  const login = (identifier: string, secret: string) =>
    call<{ user: Me; session: Session }>(app.url, 'POST', '/v1/auth/login', { body: { identifier, password: secret } });
  const forgot = (identifier: string) => call(app.url, 'POST', '/v1/auth/password/forgot', { body: { identifier } });
  const reset = (token: string, secret = another) =>
    call(app.url, 'POST', '/v1/auth/password/reset', { body: { token, password: secret } });
  const register = (body: object) =>
    call<{ user: Me; session: Session }>(app.url, 'POST', '/v1/auth/register', { body: { password, ...body } });
  /** What the audit says of somebody, and who did it. */
  const auditOf = async (id: string) => {
    const { rows } = await app.database.run(`select action, actor_id from audit where user_id = '${id}' order by seq`);
    return rows.map(({ action, actor_id: by }) => [action, by]);
  };
  const isOpen = async (token: string) => (await call(app.url, 'GET', '/v1/me', { token })).status === 200;
  /** The reset link of the latest mail or text to somebody. */
  const linkTo = async (to: string, count = 1) => {
    const links = async () =>
      (await waitFor(app, { to }, count)).map(({ text }) => /#([\w-]{43})\b/.exec(text ?? '')?.[1]);
    return (await links()).filter((token) => token !== undefined).at(-1) ?? '';
  };
  /** It was looked at, and there was nobody to send it to, so nothing of it is kept. */
  const isNobodys = (target: string) =>
    until(
      () => app.database.run(`select user_id from password_resets where target = '${target}'`),
      ({ rows }) => rows.length === 0 || rows[0].user_id !== null,
    ).then(({ rows }) => assert.deepEqual(rows, []));
  const verified = async (name = 'Ana', extra = {}) => {
    const person = await registerPerson(app, name, extra);
    await waitFor(app, { to: person.email });
    await verifyContacts(app, person);
    return person;
  };

  byEachDoor('changing it', (door) => {
    const change = (person: Person, body: object) =>
      person.call<{ revoked: number }>('POST', '/v1/me/password', {
        newPassword: another,
        oldPassword: password,
        ...body,
      });

    it('takes the old one, and tells whoever has the account in their language', async () => {
      const person = await registerPerson(by(door, app), 'Ana', { locale: 'de' });
      await verifyContacts(app, person);
      assert.deepEqual(expectStatus(await change(person, {}), 200), { revoked: 0 });
      expectProblem(await login(person.email, password), 401, 'invalid_credentials');
      expectStatus(await login(person.email, another), 200);
      const mails = await waitFor(app, { to: person.email }, 2);
      assert.ok(mails.some(({ text }) => text?.startsWith('Dein Homing-Passwort wurde geändert')));
      // The mail is out before the word of it is back; then nothing is kept.
      await until(
        async () => (await app.database.run(`select from notices where user_id = '${person.id}'`)).rowCount,
        (count) => count === 0,
      );
      assert.deepEqual(await auditOf(person.id), [['change_password', person.id]]);
    });

    it('ends the other sessions where that is wanted, and leaves them otherwise', async () => {
      const person = await registerPerson(by(door, app));
      const other = await signInAgain(app, person);
      expectStatus(await change(person, {}), 200);
      assert.equal(await isOpen(other.token), true);
      const back = { oldPassword: another, newPassword: password, endOtherSessions: true };
      assert.deepEqual(expectStatus(await change(person, back), 200), { revoked: 1 });
      assert.deepEqual([await isOpen(other.token), await isOpen(person.token)], [false, true]);
    });

    it('refuses a wrong old one, so many times in a session, and as often in each other one', async () => {
      const person = await registerPerson(by(door, app));
      const elsewhere = await signInAgain(by(door, app), person);
      for (let n = 0; n < limits.passwordTriesPerSessionAndHour; n += 1) {
        const wrong = await change(person, { oldPassword: `${password}!` });
        assert.deepEqual(expectProblem(wrong as Answer<never>, 401, 'invalid_credentials'), ['oldPassword']);
      }
      expectProblem((await change(person, {})) as Answer<never>, 429, 'rate_limited');
      expectStatus(await change(elsewhere, {}), 200);
      expectStatus(await change(elsewhere, { oldPassword: another, newPassword: password }), 200);
      expectStatus(await login(person.email, password), 200);
    });

    it('refuses the next in whatever session once so many were made in all of them', async () => {
      const person = await registerPerson(by(door, app));
      const sessions = limits.passwordTriesPerHour / limits.passwordTriesPerSessionAndHour;
      for (let n = 0; n < sessions; n += 1) {
        const session = await signInAgain(by(door, app), person);
        const wrong = () => change(session, { oldPassword: `${password}!` });
        const tries = await Promise.all(Array.from({ length: limits.passwordTriesPerSessionAndHour }, wrong));
        assert.deepEqual(new Set(tries.map(({ status }) => status)), new Set([401]));
      }
      expectProblem((await change(person, {})) as Answer<never>, 429, 'rate_limited');
    }).timeout(60_000);

    it('refuses lone surrogates, of which one would be as good as another, wherever a password is given', async () => {
      const person = await registerPerson(by(door, app));
      const lone = `${another}\ud800`;
      for (const body of [{ newPassword: lone }, { oldPassword: lone }])
        assert.deepEqual(
          expectProblem((await change(person, body)) as Answer<never>, 400, 'invalid_input'),
          Object.keys(body),
        );
      expectProblem(await person.call('POST', '/v1/auth/step-up', { password: lone }), 400, 'invalid_input');
      expectProblem(await login(person.email, lone), 400, 'invalid_input');
    });

    it('tells nobody at an address that was never verified', async () => {
      const person = await registerPerson(by(door, app));
      expectStatus(await change(person, {}), 200);
      const owed = `select from outbox where topic = 'notice.owed' and user_id = '${person.id}'`;
      assert.equal((await app.database.run(owed)).rowCount, 0);
    });

    it('takes no weak one, and names the field', async () => {
      const person = await registerPerson(by(door, app));
      const weak = await change(person, { newPassword: 'passwordpassword' });
      assert.deepEqual(expectProblem(weak as Answer<never>, 400, 'invalid_input'), ['newPassword']);
    });
  });

  it('that are malformed UTF-8 are refused: decoded, each would be the same as many others', async () => {
    const { email } = await registerPerson(app);
    const head = JSON.stringify({ identifier: email, password }).slice(0, -2);
    const ask = async (end: Buffer, charset: string) => {
      const headers = { 'content-type': `application/json${charset}` };
      const body = new Uint8Array(Buffer.concat([Buffer.from(head), end, Buffer.from('"}')]));
      const response = await fetch(`${app.url}/v1/auth/login`, { method: 'POST', headers, body });
      const { code, detail } = (await response.json()) as { code?: string; detail?: string };
      return [response.status, code, detail];
    };
    const malformed = 'The body is not UTF-8; send it in well-formed UTF-8.';
    for (const end of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf]])
      assert.deepEqual(await ask(Buffer.from(end), ''), [400, 'malformed_json', malformed]);
    assert.equal((await ask(Buffer.from('ä'), ''))[0], 401);
    assert.equal((await ask(Buffer.from(''), '; charset=UTF-8'))[0], 200);
    for (const charset of ['utf-16', 'utf-32', 'utf-7'])
      assert.deepEqual(await ask(Buffer.from(''), `; charset=${charset}`), [
        ...[415, 'unsupported_media_type'],
        'Send the body in UTF-8, uncompressed or as gzip, deflate, br or zstd.',
      ]);
  });

  describe('a forgotten one', () => {
    it('is replaced by what a mail brings; every session ends, and no device is pushed to', async () => {
      const person = await verified();
      const other = await signInAgain(app, person);
      await registerDevice(person);
      // Of before devices knew their session: ending all sessions does not reach it.
      await app.database.run(`update devices set session_id = null where user_id = '${person.id}'`);
      assert.deepEqual(expectStatus(await forgot(person.email.toUpperCase()), 202), { expiresInSeconds: 1_800 });
      expectStatus(await reset(await linkTo(person.email, 2)), 204);
      assert.deepEqual([await isOpen(person.token), await isOpen(other.token)], [false, false]);
      expectProblem(await login(person.email, password), 401, 'invalid_credentials');
      const { session } = expectStatus(await login(person.email, another), 200);
      const { items } = expectStatus(
        await call<{ items: Device[] }>(app.url, 'GET', '/v1/me/devices', { token: session.accessToken }),
        200,
      );
      assert.deepEqual(
        items.map(({ hasPushToken }) => hasPushToken),
        [false],
      );
      const mails = await waitFor(app, { to: person.email }, 3);
      assert.ok(mails.some(({ text }) => text?.startsWith('Your Homing password was changed')));
      assert.deepEqual(await auditOf(person.id), [['reset_password', person.id]]);
    });

    it('is replaced by a text, too, in the language of who has the number', async () => {
      const phone = phoneNumber();
      const person = await registerPerson(app, 'Ana', { locale: 'es' });
      await verifyContacts(app, person, phone);
      expectStatus(await forgot(phone), 202);
      const [text] = await waitFor(app, { to: phone });
      assert.match(text?.text ?? '', /^Homing: elige una clave nueva en 30 minutos/);
      expectStatus(await reset(await linkTo(phone)), 204);
      expectStatus(await login(phone, another), 200);
    });

    it('works once: neither the same link again nor an older one does anything', async () => {
      const person = await verified();
      expectStatus(await forgot(person.email), 202);
      const older = await linkTo(person.email, 2);
      expectStatus(await forgot(person.email), 202);
      await waitFor(app, { to: person.email }, 3);
      const tokens = (await inbox(app, { to: person.email })).flatMap(
        ({ text }) => /#([\w-]{43})\b/.exec(text ?? '')?.[1] ?? [],
      );
      const newer = tokens.find((token) => token !== older) ?? '';
      expectStatus(await reset(newer), 204);
      for (const token of [newer, older, randomBytes(32).toString('base64url')])
        expectProblem(await reset(token, password), 410, 'code_expired');
      expectStatus(await login(person.email, another), 200);
    });

    it('of two uses of a link at the same moment one does something', async () => {
      const person = await verified();
      expectStatus(await forgot(person.email), 202);
      const token = await linkTo(person.email, 2);
      const answers = await Promise.all([reset(token, another), reset(token, `${another} two`)]);
      assert.equal(answers.filter(({ status }) => status === 204).length, 1);
    });

    it('lets nobody in who began to sign in with the former one', async () => {
      const person = await verified();
      expectStatus(await forgot(person.email), 202);
      const token = await linkTo(person.email, 2);
      const held = holdNext(app.processes[0], 'users-by-identifier');
      const signingIn = login(person.email, password);
      await held.begun;
      expectStatus(await reset(token), 204);
      held.release();
      expectProblem((await signingIn) as Answer<never>, 401, 'invalid_credentials');
      const open = `select from sessions where user_id = '${person.id}' and revoked_at is null`;
      assert.equal((await app.database.run(open)).rowCount, 0);
    });

    it('has so long and no longer', async () => {
      const person = await verified();
      expectStatus(await forgot(person.email), 202);
      const token = await linkTo(person.email, 2);
      await app.database.run(
        `update password_resets set expires_at = expires_at - interval '30 minutes' where user_id = '${person.id}'`,
      );
      expectProblem(await reset(token), 410, 'code_expired');
    });

    it('does not open what has another address by now', async () => {
      const person = await verified();
      expectStatus(await forgot(person.email), 202);
      const token = await linkTo(person.email, 2);
      await app.database.run(`update users set email = 'moved.${person.email}' where id = '${person.id}'`);
      expectProblem(await reset(token), 410, 'code_expired');
    });

    it('is kept nowhere: no table holds the token', async () => {
      const person = await verified();
      expectStatus(await forgot(person.email), 202);
      const token = await linkTo(person.email, 2);
      for (const table of ['password_resets', 'outbox', 'notices']) {
        const { rows } = await app.database.run(`select t::text as row from ${table} t`);
        assert.ok(!JSON.stringify(rows).includes(token), table);
      }
    });

    it('takes no weak one and keeps the link for a better one', async () => {
      const person = await verified();
      expectStatus(await forgot(person.email), 202);
      const token = await linkTo(person.email, 2);
      assert.deepEqual(expectProblem(await reset(token, 'passwordpassword'), 400, 'invalid_input'), ['password']);
      expectStatus(await reset(token), 204);
    });

    it('answers alike for nobody, and sends nobody anything', async () => {
      const nobody = `${randomBytes(6).toString('hex')}@example.test`;
      const person = await verified();
      const [known, unknown] = [await forgot(person.email), await forgot(nobody)];
      assert.deepEqual([known.status, known.body], [unknown.status, unknown.body]);
      await waitFor(app, { to: person.email }, 2);
      await isNobodys(nobody);
      assert.deepEqual(await inbox(app, { to: nobody }), []);
    });

    it('is no way to flood somebody, known or not', async () => {
      const nobody = `${randomBytes(6).toString('hex')}@example.test`;
      const person = await verified();
      for (const identifier of [person.email, nobody]) {
        for (let n = 0; n < limits.resetsPerTargetAndHour; n += 1) expectStatus(await forgot(identifier), 202);
        const refused = await forgot(identifier);
        expectProblem(refused, 429, 'rate_limited');
        assert.ok(Number(refused.headers.get('retry-after')) > 3_500);
      }
      await app.database.run(
        `update allowances set until = until - interval '1 hour' where until < now() + interval '2 hours'`,
      );
      expectStatus(await forgot(person.email), 202);
    });

    it('wants an address or a number, and says so', async () => {
      assert.deepEqual(expectProblem(await forgot('ana'), 400, 'invalid_input'), ['identifier']);
    });
  });

  describe('an address that nobody has proved', () => {
    const codeTo = async (to: string, count = 1) => {
      const mails = await waitFor(app, { to }, count);
      return mails.map(({ text }) => /\b\d{6}\b/.exec(text ?? '')?.[0] ?? '');
    };
    const verify = (token: string, code: string) =>
      call<Me>(app.url, 'POST', '/v1/me/email/verify', { token, body: { code } });
    const meOf = async (token: string) => expectStatus(await call<Me>(app.url, 'GET', '/v1/me', { token }), 200);

    it('goes to whoever proves it; the other account is left without', async () => {
      const squatter = await registerPerson(app, 'Eve');
      await codeTo(squatter.email);
      const mine = { email: squatter.email, displayName: 'Ana', password: another };
      const { user, session } = expectStatus(await register(mine), 201);
      const codes = await codeTo(squatter.email, 2);
      const tries = await Promise.all(codes.map((code) => verify(session.accessToken, code)));
      assert.equal(tries.filter(({ status }) => status === 200).length, 1);
      assert.equal((await meOf(squatter.token)).email, null);
      expectProblem(await login(squatter.email, password), 401, 'invalid_credentials');
      expectStatus(await login(squatter.email, another), 200);
      expectStatus(await squatter.call('GET', '/v1/conversations'), 200);
      assert.deepEqual(await auditOf(squatter.id), [['take_contact', user.id]]);
    });

    it('signs each account in that names it, by its own password', async () => {
      const first = await registerPerson(app);
      const second = expectStatus(await register({ email: first.email, displayName: 'Eve', password: another }), 201);
      assert.equal(expectStatus(await login(first.email, password), 200).user.id, first.id);
      assert.equal(expectStatus(await login(first.email, another), 200).user.id, second.user.id);
    });

    it('cannot be proved once somebody has: who asks gets no code, and its owner is told', async () => {
      const owner = await verified('Ana', { locale: 'de' });
      const { session } = expectStatus(await register({ email: owner.email, displayName: 'Eve' }), 201);
      const mails = await waitFor(app, { to: owner.email }, 2);
      const told = mails.find(({ text }) => text?.startsWith('Jemand hat einen Code angefordert'));
      assert.ok(told && !/\d{6}/.test(told.text ?? ''));
      expectProblem(await login(owner.email, `${password}!`), 401, 'invalid_credentials');
      assert.equal(expectStatus(await login(owner.email, password), 200).user.id, owner.id);
      assert.equal((await meOf(session.accessToken)).email?.verified, false);
    });

    it('of two who prove it at the same moment one has it', async () => {
      const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
      const email = `${randomBytes(6).toString('hex')}@example.test`;
      for (const person of [ana, eve]) expectStatus(await person.call('POST', '/v1/me/email', { email }), 202);
      const codes = await codeTo(email, 2);
      const answers = await Promise.all([ana, eve].flatMap(({ token }) => codes.map((code) => verify(token, code))));
      const taken = answers.filter(({ status }) => status === 409);
      assert.deepEqual([answers.filter(({ status }) => status === 200).length, taken.length], [1, 1]);
      assert.deepEqual(expectProblem(taken[0] as Answer<never>, 409, 'identifier_taken'), ['email']);
    });

    it('and its password forgotten: whoever gets the mail has the account, without what was laid in it', async () => {
      const phone = phoneNumber();
      const squatter = await registerPerson(app, 'Eve', { phone });
      await codeTo(squatter.email);
      expectStatus(await forgot(squatter.email), 202);
      expectStatus(await reset(await linkTo(squatter.email, 2)), 204);
      assert.equal(await isOpen(squatter.token), false);
      const { user } = expectStatus(await login(squatter.email, another), 200);
      assert.deepEqual([user.email?.verified, user.phone], [true, null]);
      expectProblem(await login(phone, password), 401, 'invalid_credentials');
    });

    it('is no way into an account of which somebody has proved something else', async () => {
      const phone = phoneNumber();
      const owner = await registerPerson(app, 'Ana');
      await verifyContacts(app, owner, phone);
      await app.database.run(`update users set email_verified_at = null where id = '${owner.id}'`);
      await codeTo(owner.email);
      expectStatus(await forgot(owner.email), 202);
      await isNobodys(owner.email);
      assert.equal((await inbox(app, { to: owner.email })).length, 1);
    });
  });

  describe('codes', () => {
    it('are sent to one person so many in an hour', async () => {
      const person = await registerPerson(app);
      const ask = () => {
        const email = `${randomBytes(6).toString('hex')}@example.test`;
        return person.call('POST', '/v1/me/email', { email });
      };
      for (let n = 0; n < limits.codesPerHour; n += 1) expectStatus(await ask(), 202);
      expectProblem(await ask(), 429, 'rate_limited');
    });

    it('are sent to one address so many, whoever asks; signing up with it goes on, without one', async () => {
      const email = `${randomBytes(6).toString('hex')}@example.test`;
      const people = await Promise.all(
        Array.from({ length: limits.codesPerTargetAndHour + 3 }, () => registerPerson(app)),
      );
      const answers = await Promise.all(people.map((person) => person.call('POST', '/v1/me/email', { email })));
      assert.equal(answers.filter(({ status }) => status === 202).length, limits.codesPerTargetAndHour);
      for (const refused of answers.filter(({ status }) => status !== 202)) {
        expectProblem(refused, 429, 'rate_limited');
        assert.ok(Number(refused.headers.get('retry-after')) > 3_500);
      }
      const { user } = expectStatus(await register({ email, displayName: 'Ana' }), 201);
      const asked = await app.database.run(`select from verifications where user_id = '${user.id}'`);
      assert.equal(asked.rowCount, 0);
    });

    it('are limited by the day, too', async () => {
      const email = `${randomBytes(6).toString('hex')}@example.test`;
      for (let n = 0; n < limits.codesPerTargetAndDay; n += 1) {
        const person = await registerPerson(app);
        expectStatus(await person.call('POST', '/v1/me/email', { email }), 202);
        await app.database.run(`update allowances set until = now() where until < now() + interval '2 hours'`);
      }
      const person = await registerPerson(app);
      const refused = await person.call('POST', '/v1/me/email', { email });
      expectProblem(refused, 429, 'rate_limited');
      assert.ok(Number(refused.headers.get('retry-after')) > 80_000);
    });
  });

  describe('that are guessed first are refused, with the field and the remedy', () => {
    const weak: Record<string, string> = {
      'is among the common ones, in whatever case': '1Q2W3E4R5T6Y7U8I9O0P',
      'is a common one and some digits': 'sunshine2024!!!!!!',
      'repeats a common one': 'PasswordPassword',
      'repeats a few signs': 'abcabcabcabcabcabc',
      'is one sign': 'x'.repeat(limits.passwordLengthMin),
      'counts along': '123456789012345678',
      'goes along the alphabet and back': 'abcdefghijklmlkjihg',
      'is the name of its owner': 'marianne!marianne!1',
      'is the address of its owner': 'm.anders@example1',
      'is the name of this service': 'Homing-homing-2026',
    };
    for (const [what, secret] of Object.entries(weak)) {
      it(`one that ${what}`, async () => {
        const email = `m.anders@example.test`;
        const answer = await register({ email, displayName: 'Marianne Anders', password: secret });
        assert.deepEqual(expectProblem(answer as Answer<never>, 400, 'invalid_input'), ['password']);
        const { errors } = answer.body as unknown as { errors: { message: string }[] };
        assert.match(errors[0]?.message ?? '', /take another/);
      });
    }

    for (const secret of [
      'marianne has a red kettle',
      '83920174839201',
      'ж'.repeat(8) + 'чёрный кот',
      'xk7#mQ92-vL0pR4',
    ])
      it(`and not ${secret}`, async () => {
        const email = `${randomBytes(6).toString('hex')}@example.test`;
        expectStatus(await register({ email, displayName: 'Marianne', password: `${secret} 4` }), 201);
      });
  });
}).timeout(120_000);
