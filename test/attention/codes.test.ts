import assert from 'node:assert/strict';
import { registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { waitFor } from '../support/inbox.ts';
import { expectStatus } from '../support/rest.ts';

describe('a code that was asked for while nothing could send it', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  it('is sent when that is back, and lives from then on', async () => {
    const person = await registerPerson(app);
    // Longer ago than a code lives.
    await app.database.run(`update verifications set expires_at = now() - interval '1 hour'`);
    await app.start(['relay', 'worker']);
    const [mail] = await waitFor(app, { to: person.email, channel: 'email' });
    const code = /\d{6}/.exec(mail?.text ?? '')?.[0];
    expectStatus(await person.call('POST', '/v1/me/email/verify', { code }), 200);
    assert.equal((await app.database.run('select from verifications')).rowCount, 0);
  }).timeout(60_000);
});
