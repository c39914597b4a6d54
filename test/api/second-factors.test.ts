import assert from 'node:assert/strict';
import { Secret } from 'otpauth';
import pg from 'pg';
import type { Factors, SessionInfo } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { registerPeople, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { answer, beginApp, challengeOf, login, switchOnApp } from '../support/factors.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

const half = 30_000;
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

byEachDoor('authenticator apps and recovery codes', (door) => {
  let app: TestApp & Entrance;
  let clock: Clock;
  before(async () => {
    app = by(door, await startApp());
    clock = clockOf(app);
  });
  after(() => app.stop());

  const protectedPerson = async (name = 'Ana') => {
    const person = await registerPerson(app, name);
    return { person, phone: await switchOnApp(person, clock) };
  };

  describe('an app', () => {
    it('is asked of nobody until its first code has come', async () => {
      const ana = await registerPerson(app);
      const { code } = await beginApp(ana, clock);
      expectStatus(await login(app, ana), 200);
      expectProblem(await ana.call('POST', '/v1/me/totp/confirm', { code: wrong(code()) }), 400, 'invalid_code');
      expectStatus(await login(app, ana), 200);
      expectStatus(await ana.call('POST', '/v1/me/totp/confirm', { code: code() }), 200);
      expectStatus(await login(app, ana), 202);
    });

    it('gives out ten recovery codes of 128 bits with its first code', async () => {
      const { phone } = await protectedPerson();
      assert.equal(new Set(phone.recoveryCodes).size, limits.recoveryCodes);
      for (const code of phone.recoveryCodes) assert.match(code, /^([0-9a-f]{4}-){7}[0-9a-f]{4}$/);
    });

    it('has a secret that nobody is shown again, and that the table does not tell', async () => {
      const { person, phone } = await protectedPerson();
      expectProblem(await person.call('POST', '/v1/me/totp'), 409, 'factor_exists');
      expectProblem(await person.call('POST', '/v1/me/totp/confirm', { code: phone.code() }), 409, 'factor_exists');
      const factors = expectStatus(await person.call<Factors>('GET', '/v1/me/factors'), 200);
      assert.deepEqual(factors, { totp: true, passkeys: [], recoveryCodesLeft: limits.recoveryCodes });
      const { rows } = await app.database.run(`select secret, key_id from totp where user_id = '${person.id}'`);
      const [{ secret, key_id: keyId }] = rows as [{ secret: Buffer; key_id: string }];
      assert.equal(keyId, 'dev');
      assert.equal(secret.includes(Secret.fromBase32(phone.secret).bytes as Buffer), false);
      assert.equal(secret.length, 12 + 20 + 16);
    });

    it('that was copied into the row of somebody else opens nothing for them', async () => {
      const [ana, eve] = [await protectedPerson(), await protectedPerson('Eve')];
      await app.database.run(
        `update totp set secret = (select secret from totp where user_id = '${eve.person.id}') where user_id = '${ana.person.id}'`,
      );
      const { challenge } = await challengeOf(app, ana.person);
      assert.equal((await answer(app, { challenge, code: eve.phone.code() })).status, 500);
    });

    it('must be confirmed within ten minutes', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const [hers, his] = [await beginApp(ana, clock), await beginApp(bob, clock)];
      clock.pass(limits.totpBeginSeconds * 1_000 - 1);
      expectStatus(await ana.call('POST', '/v1/me/totp/confirm', { code: hers.code() }), 200);
      clock.pass(1);
      expectProblem(await bob.call('POST', '/v1/me/totp/confirm', { code: his.code() }), 410, 'code_expired');
    });

    it('is switched on and off in the audit', async () => {
      const { person } = await protectedPerson();
      expectStatus(await person.call('DELETE', '/v1/me/totp'), 204);
      const { rows } = await app.database.run(
        `select action, actor_id = user_id as own from audit where user_id = '${person.id}' order by id`,
      );
      const entry = { action: 'change_factors', own: true };
      assert.deepEqual(rows, [entry, entry]);
    });

    it('is switched off, and its recovery codes with it', async () => {
      const { person, phone } = await protectedPerson();
      expectStatus(await person.call('DELETE', '/v1/me/totp'), 204);
      expectStatus(await login(app, person), 200);
      expectProblem(await person.call('DELETE', '/v1/me/totp'), 404, 'not_found');
      expectProblem(await person.call('POST', '/v1/me/recovery-codes'), 404, 'not_found');
      const factors = expectStatus(await person.call<Factors>('GET', '/v1/me/factors'), 200);
      assert.deepEqual(factors, { totp: false, passkeys: [], recoveryCodesLeft: 0 });
      assert.equal(phone.recoveryCodes.length, limits.recoveryCodes);
    });
  });

  describe('a sign-in of who has one', () => {
    it('is answered with a challenge and no session, and its code with the session', async () => {
      const { person, phone } = await protectedPerson();
      const asked = await login(app, person);
      assert.deepEqual(Object.keys(expectStatus(asked, 202)).sort(), ['challenge', 'expiresAt', 'methods', 'passkey']);
      assert.deepEqual(asked.body.methods, ['totp', 'recoveryCode']);
      const { challenge } = asked.body;
      const { session, user } = expectStatus(await answer(app, { challenge, code: phone.code() }), 200);
      assert.equal(user.id, person.id);
      const token = session.accessToken;
      const { items } = expectStatus(
        await call<{ items: SessionInfo[] }>(app.url, 'GET', '/v1/sessions', { token }),
        200,
      );
      assert.deepEqual(items.map(({ id, secondFactor }) => [id === session.id, secondFactor]).sort(), [
        [false, false],
        [true, true],
      ]);
    });

    it('tells a wrong password nothing of it', async () => {
      const { person } = await protectedPerson();
      const body = { identifier: person.email, password: 'not this one, surely' };
      expectProblem(await call(app.url, 'POST', '/v1/auth/login', { body }), 401, 'invalid_credentials');
    });

    it('lets nobody in who was suspended after their password', async () => {
      const { person, phone } = await protectedPerson();
      const { challenge } = await challengeOf(app, person);
      await app.database.run(`update users set status = 'suspended' where id = '${person.id}'`);
      expectProblem((await answer(app, { challenge, code: phone.code() })) as never, 401, 'invalid_credentials');
    });

    it('takes the codes of the half minutes beside this one, and none farther off', async () => {
      const { person, phone } = await protectedPerson();
      clock.pass(2 * half);
      const by = async (ms: number) => {
        const { challenge } = await challengeOf(app, person);
        return answer(app, { challenge, code: phone.code(ms) });
      };
      expectProblem((await by(-2 * half)) as never, 400, 'invalid_code');
      expectProblem((await by(2 * half)) as never, 400, 'invalid_code');
      expectStatus(await by(-half), 200);
      expectStatus(await by(half), 200);
    });

    it('takes no code twice, nor one from before it', async () => {
      const { person, phone } = await protectedPerson();
      const by = async (ms = 0) => {
        const { challenge } = await challengeOf(app, person);
        return answer(app, { challenge, code: phone.code(ms) });
      };
      expectStatus(await by(), 200);
      expectProblem((await by()) as never, 400, 'invalid_code');
      expectProblem((await by(-half)) as never, 400, 'invalid_code');
      clock.pass(half);
      expectStatus(await by(), 200);
    });

    it('of fifty who show one code at once lets one in', async () => {
      const { person, phone } = await protectedPerson();
      const challenges: string[] = [];
      for (let n = 0; n < 50; n += 1) challenges.push((await challengeOf(app, person)).challenge);
      const code = phone.code();
      const answers = await Promise.all(challenges.map((challenge) => answer(app, { challenge, code })));
      const statuses = answers.map(({ status }) => status).sort();
      assert.deepEqual(statuses, [200, ...Array.from({ length: 49 }, () => 400)]);
    }).timeout(30_000);

    it('ends its challenge with the fifth wrong guess, and keeps nobody out of the next', async () => {
      const { person, phone } = await protectedPerson();
      const { challenge } = await challengeOf(app, person);
      for (let n = 0; n < limits.factorGuesses; n += 1)
        expectProblem((await answer(app, { challenge, code: wrong(phone.code()) })) as never, 400, 'invalid_code');
      expectProblem((await answer(app, { challenge, code: phone.code() })) as never, 429, 'too_many_attempts');
      const next = await challengeOf(app, person);
      expectStatus(await answer(app, { challenge: next.challenge, code: phone.code() }), 200);
    });

    it('takes a right code for the fifth guess', async () => {
      const { person, phone } = await protectedPerson();
      const { challenge } = await challengeOf(app, person);
      for (let n = 1; n < limits.factorGuesses; n += 1)
        expectProblem((await answer(app, { challenge, code: wrong(phone.code()) })) as never, 400, 'invalid_code');
      expectStatus(await answer(app, { challenge, code: phone.code() }), 200);
    });

    it('judges five of fifty guesses that come at once', async () => {
      const { person, phone } = await protectedPerson();
      const { challenge } = await challengeOf(app, person);
      const guesses = Array.from({ length: 50 }, () => answer(app, { challenge, code: wrong(phone.code()) }));
      const codes = (await Promise.all(guesses)).map(({ body }) => (body as unknown as { code: string }).code);
      assert.equal(codes.filter((code) => code === 'invalid_code').length, limits.factorGuesses);
      assert.equal(codes.filter((code) => code === 'too_many_attempts').length, 50 - limits.factorGuesses);
    });

    it('waits five minutes for the answer', async () => {
      const { person, phone } = await protectedPerson();
      const [first, second] = [await challengeOf(app, person), await challengeOf(app, person)];
      clock.pass(limits.challengeSeconds * 1_000 - 1);
      expectStatus(await answer(app, { challenge: first.challenge, code: phone.code() }), 200);
      clock.pass(1);
      const late = await answer(app, { challenge: second.challenge, code: phone.code(half) });
      expectProblem(late as never, 410, 'code_expired');
    });

    it('answers a challenge once', async () => {
      const { person, phone } = await protectedPerson();
      const { challenge } = await challengeOf(app, person);
      // Held until both are past the count of guesses, so that they meet at the challenge itself.
      const holder = new pg.Client(app.database.url);
      await holder.connect();
      await holder.query('begin');
      await holder.query('select 1 from recovery_codes where user_id = $1 for update', [person.id]);
      const twice = phone.recoveryCodes.slice(0, 2).map((recoveryCode) => answer(app, { challenge, recoveryCode }));
      const tries = `select 1 from challenges where user_id = '${person.id}' and tries = 2`;
      await until(
        () => app.database.run(tries),
        ({ rowCount }) => rowCount === 1,
      );
      await holder.end();
      const answers = await Promise.all(twice);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 410]);
      expectProblem((await answer(app, { challenge, code: phone.code() })) as never, 410, 'code_expired');
    });

    it('takes no code of somebody else, and no challenge that nobody was given', async () => {
      const [ana, eve] = [await protectedPerson(), await protectedPerson('Eve')];
      const { challenge } = await challengeOf(app, ana.person);
      expectProblem((await answer(app, { challenge, code: eve.phone.code() })) as never, 400, 'invalid_code');
      const [recoveryCode] = eve.phone.recoveryCodes;
      expectProblem((await answer(app, { challenge, recoveryCode })) as never, 400, 'invalid_code');
      const made = { challenge: 'x'.repeat(43), code: ana.phone.code() };
      expectProblem((await answer(app, made)) as never, 410, 'code_expired');
    });

    it('wants one proof, and says which fields there are', async () => {
      const challenge = 'x'.repeat(43);
      expectProblem((await answer(app, { challenge })) as never, 400, 'invalid_input');
      const two = { challenge, code: '123456', recoveryCode: '0'.repeat(32) };
      assert.deepEqual(expectProblem((await answer(app, two)) as never, 400, 'invalid_input'), ['code']);
      const short = { challenge, recoveryCode: 'abc' };
      assert.deepEqual(expectProblem((await answer(app, short)) as never, 400, 'invalid_input'), ['recoveryCode']);
    });
  });

  describe('a recovery code', () => {
    const use = async (person: { email: string }, recoveryCode: string | undefined) => {
      const { challenge } = await challengeOf(app, person);
      return answer(app, { challenge, recoveryCode });
    };

    it('stands in for the app once, however it is written', async () => {
      const { person, phone } = await protectedPerson();
      const [first = '', second = ''] = phone.recoveryCodes;
      expectStatus(await use(person, first.toUpperCase().replaceAll('-', ' ')), 200);
      expectProblem((await use(person, first)) as never, 400, 'invalid_code');
      expectStatus(await use(person, second), 200);
      const { recoveryCodesLeft } = expectStatus(await person.call<Factors>('GET', '/v1/me/factors'), 200);
      assert.equal(recoveryCodesLeft, limits.recoveryCodes - 2);
    });

    it('of ten who show it at once lets one in', async () => {
      const { person, phone } = await protectedPerson();
      const answers = await Promise.all(Array.from({ length: 10 }, () => use(person, phone.recoveryCodes[0])));
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    });

    it('is worth nothing once new ones were made', async () => {
      const { person, phone } = await protectedPerson();
      const renewed = await person.call<{ recoveryCodes: string[] }>('POST', '/v1/me/recovery-codes');
      const { recoveryCodes } = expectStatus(renewed, 200);
      expectProblem((await use(person, phone.recoveryCodes[0])) as never, 400, 'invalid_code');
      expectStatus(await use(person, recoveryCodes[0]), 200);
    });

    it('is kept as a hash alone', async () => {
      const { person, phone } = await protectedPerson();
      const { rows } = await app.database.run(`select code_hash from recovery_codes where user_id = '${person.id}'`);
      const kept = JSON.stringify(rows);
      assert.equal(rows.length, limits.recoveryCodes);
      for (const code of phone.recoveryCodes) assert.equal(kept.includes(code.slice(0, 9)), false);
    });
  });
});
