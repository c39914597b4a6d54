import assert from 'node:assert/strict';
import pg from 'pg';
import type { Factors, Passkey, PasskeyCreation, PasskeyRequest } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { type Person, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { Authenticator, type Otherwise } from '../support/authenticator.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { answer, beginPasskeySignIn, challengeOf, login, signInWithPasskey, switchOnApp } from '../support/factors.ts';
import { expectProblem, expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

byEachDoor('passkeys', (door) => {
  let app: TestApp & Entrance;
  let clock: Clock;
  before(async () => {
    app = by(door, await startApp({ env: { HOMING_ALLOWED_ORIGINS: 'https://chat.homing.test' } }));
    clock = clockOf(app);
  });
  after(() => app.stop());

  type Added = { passkey: Passkey; recoveryCodes: string[] | null };
  const begin = async (person: Person) =>
    expectStatus(await person.call<PasskeyCreation>('POST', '/v1/me/passkeys/begin'), 200);
  const add = (person: Person, passkey: object, name = 'Laptop') =>
    person.call<Added>('POST', '/v1/me/passkeys', { name, passkey });
  const addTo = async (person: Person, key = new Authenticator()) => {
    const added = expectStatus(await add(person, key.register(await begin(person))), 201);
    return { key, ...added };
  };
  const withPasskey = async (name = 'Ana') => {
    const person = await registerPerson(app, name);
    return { person, ...(await addTo(person)) };
  };
  const factorsOf = async (person: Person) => expectStatus(await person.call<Factors>('GET', '/v1/me/factors'), 200);

  describe('registering one', () => {
    it('asks for a verified person and a key that says who they are, and gives out recovery codes with the first', async () => {
      const ana = await registerPerson(app);
      const options = await begin(ana);
      assert.deepEqual(options.rp, { id: 'homing.test', name: 'Homing' });
      assert.equal(options.authenticatorSelection.userVerification, 'required');
      assert.equal(options.authenticatorSelection.residentKey, 'required');
      assert.ok(Buffer.from(options.challenge, 'base64url').length >= 16);
      const first = expectStatus(await add(ana, new Authenticator().register(options)), 201);
      assert.equal(first.recoveryCodes?.length, limits.recoveryCodes);
      const { key: _, ...second } = await addTo(ana);
      assert.equal(second.recoveryCodes, null);
      assert.deepEqual(
        (await factorsOf(ana)).passkeys.map(({ id }) => id),
        [first.passkey.id, second.passkey.id],
      );
    });

    it('names those that there are, which are not registered twice', async () => {
      const { person, key } = await withPasskey();
      const options = await begin(person);
      assert.deepEqual(
        options.excludeCredentials.map(({ id }) => id),
        [key.id],
      );
      expectProblem((await add(person, key.register(options))) as never, 409, 'factor_exists');
    });

    it('takes one answer for each challenge, within five minutes, from who was asked', async () => {
      const [ana, eve] = [await registerPerson(app), await registerPerson(app, 'Eve')];
      const options = await begin(ana);
      const made = new Authenticator().register(options);
      expectProblem((await add(eve, made)) as never, 410, 'code_expired');
      expectStatus(await add(ana, made), 201);
      expectProblem((await add(ana, new Authenticator().register(options))) as never, 410, 'code_expired');
      const late = await begin(ana);
      clock.pass(limits.challengeSeconds * 1_000);
      expectProblem((await add(ana, new Authenticator().register(late))) as never, 410, 'code_expired');
    });

    const refused: Record<string, Otherwise> = {
      'of another origin': { origin: 'http://homing.test.evil.test' },
      'of another port': { origin: 'http://homing.test:8080' },
      'for another host': { rpId: 'evil.test' },
      'without a verified person': { verified: false },
      'of another kind': { type: 'webauthn.get' },
      'made in a frame of another site': { crossOrigin: true },
      'with a chain of certificates': { certificates: true },
    };
    for (const [what, otherwise] of Object.entries(refused))
      it(`refuses one ${what}`, async () => {
        const ana = await registerPerson(app);
        const made = new Authenticator().register(await begin(ana), otherwise);
        expectProblem((await add(ana, made)) as never, 400, 'invalid_passkey');
        assert.deepEqual((await factorsOf(ana)).passkeys, []);
      });

    it('takes one from an origin that was named', async () => {
      const ana = await registerPerson(app);
      const made = new Authenticator().register(await begin(ana), { origin: 'https://chat.homing.test' });
      expectStatus(await add(ana, made), 201);
    });

    it('takes as many as an account may have, and none beyond', async () => {
      const ana = await registerPerson(app);
      const last = await begin(ana);
      for (let n = 0; n < limits.passkeysPerUser; n += 1) await addTo(ana);
      expectProblem(await ana.call('POST', '/v1/me/passkeys/begin'), 409, 'limit_reached');
      expectProblem((await add(ana, new Authenticator().register(last))) as never, 409, 'limit_reached');
    });

    it('refuses what is no answer of an authenticator', async () => {
      const ana = await registerPerson(app);
      const made = new Authenticator().register(await begin(ana));
      for (const response of [
        { clientDataJSON: 'bnVsbA' },
        { attestationObject: 'AAAA' },
        { clientDataJSON: 'AAAA' },
      ]) {
        const broken = { ...made, response: { ...made.response, ...response } };
        expectProblem((await add(ana, broken)) as never, 400, 'invalid_passkey');
      }
    });
  });

  describe('beside the password', () => {
    it('is asked for, and lets in', async () => {
      const { person, key } = await withPasskey();
      const { challenge, methods, passkey } = await challengeOf(app, person);
      assert.deepEqual(methods, ['passkey', 'recoveryCode']);
      assert.deepEqual(
        passkey?.allowCredentials.map(({ id }) => id),
        [key.id],
      );
      const { user } = expectStatus(await answer(app, { challenge, passkey: key.answer(passkey) }), 200);
      assert.equal(user.id, person.id);
      assert.notEqual((await factorsOf(person)).passkeys[0]?.lastUsedAt, null);
    });

    it('is not let in by the passkey of somebody else, nor by an answer to another challenge', async () => {
      const [ana, eve] = [await withPasskey(), await withPasskey('Eve')];
      const first = await challengeOf(app, ana.person);
      const second = await challengeOf(app, ana.person);
      const { challenge, passkey } = first as { challenge: string; passkey: PasskeyRequest };
      const hers = await answer(app, { challenge, passkey: eve.key.answer(passkey) });
      expectProblem(hers as never, 400, 'invalid_passkey');
      const other = await answer(app, { challenge, passkey: ana.key.answer(second.passkey as PasskeyRequest) });
      expectProblem(other as never, 400, 'invalid_passkey');
    });
  });

  describe('instead of a password', () => {
    const signIn = async (key: Authenticator, otherwise: Otherwise = {}) =>
      signInWithPasskey(app, key.answer(await beginPasskeySignIn(app), otherwise));

    it('says who it is, and is both factors', async () => {
      const { person, key } = await withPasskey();
      const { user } = expectStatus(await signIn(key), 200);
      assert.equal(user.id, person.id);
    });

    it('names nobody’s passkeys', async () => {
      await withPasskey();
      assert.deepEqual((await beginPasskeySignIn(app)).allowCredentials, []);
    });

    const refused: Record<string, Otherwise> = {
      'from another origin': { origin: 'https://evil.test' },
      'for another host': { rpId: 'evil.test' },
      'without a verified person': { verified: false },
      'signed by another key': { forged: true },
      'of another kind': { type: 'webauthn.create' },
      'that names somebody else': { userHandle: Buffer.alloc(16, 1).toString('base64url') },
      'that names nobody': { userHandle: null },
      'in a frame of another site': { crossOrigin: true },
    };
    for (const [what, otherwise] of Object.entries(refused))
      it(`is refused ${what}`, async () => {
        const { key } = await withPasskey();
        expectProblem((await signIn(key, otherwise)) as never, 400, 'invalid_passkey');
        expectStatus(await signIn(key), 200);
      });

    it('is refused where its counter stays or goes back: somebody has a copy', async () => {
      const { key } = await withPasskey();
      expectStatus(await signIn(key, { counter: 10 }), 200);
      expectProblem((await signIn(key, { counter: 10 })) as never, 400, 'invalid_passkey');
      expectProblem((await signIn(key, { counter: 9 })) as never, 400, 'invalid_passkey');
      expectStatus(await signIn(key, { counter: 11 }), 200);
    });

    it('of two answers with one counter at once takes one', async () => {
      const { person, key } = await withPasskey();
      // Held until both have been found right, so that they meet where they are counted.
      const holder = new pg.Client(app.database.url);
      await holder.connect();
      await holder.query('begin');
      await holder.query('select 1 from passkeys where user_id = $1 for update', [person.id]);
      const both = [signIn(key, { counter: 10 }), signIn(key, { counter: 10 })];
      const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until(
        () => app.database.run(waiting),
        ({ rowCount }) => rowCount === 2,
      );
      await holder.end();
      const answers = await Promise.all(both);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400]);
    });

    it('may come from an authenticator that does not count', async () => {
      const ana = await registerPerson(app);
      const key = new Authenticator();
      expectStatus(await add(ana, key.register(await begin(ana), { counter: 0 })), 201);
      for (let n = 0; n < 2; n += 1) expectStatus(await signIn(key, { counter: 0 }), 200);
    });

    it('answers a challenge once, and none of its own or of another purpose', async () => {
      const { person, key } = await withPasskey();
      const options = await beginPasskeySignIn(app);
      const given = key.answer(options);
      expectStatus(await signInWithPasskey(app, given), 200);
      expectProblem((await signInWithPasskey(app, given)) as never, 410, 'code_expired');
      const own = key.answer({ ...options, challenge: Buffer.alloc(32, 1).toString('base64url') });
      expectProblem((await signInWithPasskey(app, own)) as never, 410, 'code_expired');
      const { passkey } = await challengeOf(app, person);
      expectProblem(
        (await signInWithPasskey(app, key.answer(passkey as PasskeyRequest))) as never,
        410,
        'code_expired',
      );
    });

    it('ends its challenge with the fifth wrong answer', async () => {
      const { key } = await withPasskey();
      const options = await beginPasskeySignIn(app);
      const given = (otherwise: Otherwise = {}) => signInWithPasskey(app, key.answer(options, otherwise));
      for (let n = 0; n < limits.factorGuesses; n += 1)
        expectProblem((await given({ forged: true })) as never, 400, 'invalid_passkey');
      expectProblem((await given()) as never, 429, 'too_many_attempts');
    });
  });

  describe('as a proof anew', () => {
    const stepUpBy = async (person: Person, key: Authenticator) => {
      const asked = await person.call<PasskeyRequest>('POST', '/v1/auth/step-up/passkey');
      return person.call('POST', '/v1/auth/step-up', { passkey: key.answer(expectStatus(asked, 200)) });
    };

    it('lets the last factor be taken away, which nothing else does', async () => {
      const { person, key, passkey } = await withPasskey();
      clock.pass(limits.proofSeconds * 1_000);
      const remove = () => person.call('DELETE', `/v1/me/passkeys/${passkey.id}`);
      expectProblem(await remove(), 403, 'step_up_required');
      expectStatus(await stepUpBy(person, key), 200);
      expectStatus(await remove(), 204);
      expectStatus(await login(app, person), 200);
      assert.deepEqual(await factorsOf(person), { totp: false, passkeys: [], recoveryCodesLeft: 0 });
      expectProblem(await person.call('POST', '/v1/auth/step-up/passkey'), 404, 'not_found');
    });

    it('is none where it is the passkey or the challenge of somebody else', async () => {
      const [ana, eve] = [await withPasskey(), await withPasskey('Eve')];
      expectProblem(await stepUpBy(ana.person, eve.key), 400, 'invalid_passkey');
      const asked = await eve.person.call<PasskeyRequest>('POST', '/v1/auth/step-up/passkey');
      const passkey = ana.key.answer(expectStatus(asked, 200));
      expectProblem(await ana.person.call('POST', '/v1/auth/step-up', { passkey }), 410, 'code_expired');
    });
  });

  describe('kept beside others', () => {
    it('is called otherwise, and is nobody else’s to call or take away', async () => {
      const { person, passkey } = await withPasskey();
      const eve = await registerPerson(app, 'Eve');
      const path = `/v1/me/passkeys/${passkey.id}`;
      const renamed = expectStatus(await person.call<Passkey>('PATCH', path, { name: ' Key ring ' }), 200);
      assert.deepEqual(renamed, { ...passkey, name: 'Key ring' });
      expectProblem(await eve.call('PATCH', path, { name: 'Mine' }), 404, 'not_found');
      expectProblem(await eve.call('DELETE', path), 404, 'not_found');
      const longest = 'x'.repeat(limits.passkeyNameLength);
      expectStatus(await person.call('PATCH', path, { name: longest }), 200);
      expectProblem(await person.call('PATCH', path, { name: `${longest}x` }), 400, 'invalid_input');
    });

    it('leaves the recovery codes while there is another factor', async () => {
      const { person, passkey } = await withPasskey();
      await switchOnApp(person, clock);
      expectStatus(await person.call('DELETE', `/v1/me/passkeys/${passkey.id}`), 204);
      assert.equal((await factorsOf(person)).recoveryCodesLeft, limits.recoveryCodes);
    });
  });
});
