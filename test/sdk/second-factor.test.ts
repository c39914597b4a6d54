import assert from 'node:assert/strict';
import { type HomingError, createClient, memoryStorage } from '../../sdk/index.ts';
import { type Person, password, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { Authenticator } from '../support/authenticator.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { switchOnApp } from '../support/factors.ts';

describe('the client of who has a second factor', () => {
  let app: TestApp;
  let clock: Clock;
  before(async () => {
    app = await startApp();
    clock = clockOf(app);
  });
  after(() => app.stop());

  const needed = async (client: ReturnType<typeof createClient>, { email }: Person) => {
    const refusal: HomingError = await client.signIn({ identifier: email, password }).then(
      () => assert.fail('signed in without the second factor'),
      (error: HomingError) => error,
    );
    assert.equal(refusal.code, 'second_factor_required');
    return refusal.secondFactor ?? assert.fail('it does not say how to go on');
  };

  it('when the password is not enough, then it says so, signs nobody in, and goes on with a code', async () => {
    const ana = await registerPerson(app);
    const phone = await switchOnApp(ana, clock);
    const storage = memoryStorage();
    const client = createClient({ url: app.url, storage });
    const { challenge, methods } = await needed(client, ana);
    assert.deepEqual(methods, ['totp', 'recoveryCode']);
    assert.deepEqual([client.user, await storage.get('session')], [undefined, undefined]);
    await assert.rejects(client.finishSignIn({ challenge, code: phone.code(600_000) }), (error: HomingError) => {
      return error.code === 'invalid_code';
    });
    assert.equal((await client.finishSignIn({ challenge, code: phone.code() })).id, ana.id);
    await client.start();
    assert.equal(client.connection.state, 'online');
    await client.stop();
  });

  it('when a passkey is there, then it signs in beside the password or instead of it', async () => {
    const ana = await registerPerson(app);
    const key = new Authenticator();
    const client = createClient({ url: app.url });
    await client.signIn({ identifier: ana.email, password });
    const made = key.register(await client.rest('beginPasskey'));
    await client.rest('addPasskey', { body: { name: 'Laptop', passkey: made } });
    const other = createClient({ url: app.url });
    const { challenge, passkey } = await needed(other, ana);
    const beside = key.answer(passkey ?? assert.fail('no passkey is asked for'));
    await other.finishSignIn({ challenge, passkey: beside });
    const third = createClient({ url: app.url });
    const instead = key.answer(await third.rest('beginPasskeySignIn'));
    assert.equal((await third.signInWithPasskey({ passkey: instead })).id, ana.id);
  });

  it('when a proof is too old, then the refusal says so, and a new one lets the call through', async () => {
    const ana = await registerPerson(app);
    const client = createClient({ url: app.url });
    await client.signIn({ identifier: ana.email, password });
    clock.pass(300_000);
    await assert.rejects(client.rest('beginTotp'), (error: HomingError) => error.code === 'step_up_required');
    await client.rest('stepUp', { body: { password } });
    assert.match((await client.rest('beginTotp')).uri, /^otpauth:\/\/totp\//);
  });
});
