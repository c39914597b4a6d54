import assert from 'node:assert/strict';
import { createClient } from '../../sdk/index.ts';
import { password, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Browser, type Page, startBrowser } from '../support/browser.ts';
import { type Site, startSite } from '../support/site.ts';

/** The JSON of a request or answer of WebAuthn's. */
type Json = Record<string, unknown>;
/** What a browser offers, as far as it is used here. */
interface Globals {
  navigator: { credentials: Record<'create' | 'get', (options: object) => Promise<{ toJSON(): Json }>> };
  PublicKeyCredential: Record<'parseCreationOptionsFromJSON' | 'parseRequestOptionsFromJSON', (json: Json) => object>;
}

describe('a passkey of a real browser', () => {
  let site: Site;
  let app: TestApp;
  let browser: Browser;
  let page: Page<Globals>;
  before(async function () {
    // A machine without a browser fetches one, once.
    this.timeout(300_000);
    browser = await startBrowser();
    site = await startSite('sdk/backoff.ts');
    // Passkeys belong to a name, never to an address, and to a page that came safely: localhost counts as such.
    const origin = site.url.replace('127.0.0.1', 'localhost');
    app = await startApp({ env: { HOMING_PUBLIC_URL: 'http://localhost', HOMING_ALLOWED_ORIGINS: origin } });
    page = await browser.openPage();
    await page.open(`${origin}/?api=${app.url}`);
    await page.addAuthenticator();
  });
  after(async () => {
    await browser?.close();
    await app?.stop();
    await site?.close();
  });

  const make = (options: object) =>
    page.run(async ({ navigator, PublicKeyCredential }, json) => {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json);
      return (await navigator.credentials.create({ publicKey })).toJSON();
    }, options as Json);
  const ask = (options: object) =>
    page.run(async ({ navigator, PublicKeyCredential }, json) => {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json);
      return (await navigator.credentials.get({ publicKey })).toJSON();
    }, options as Json);

  it('is made there, and signs in by itself', async () => {
    const ana = await registerPerson(app);
    const client = createClient({ url: app.url });
    await client.signIn({ identifier: ana.email, password });
    const made = await make(await client.rest('beginPasskey'));
    await client.rest('addPasskey', { body: { name: 'Browser', passkey: made as never } });
    const other = createClient({ url: app.url });
    const answered = await ask(await other.rest('beginPasskeySignIn'));
    assert.equal((await other.signInWithPasskey({ passkey: answered as never })).id, ana.id);
    assert.deepEqual(page.complaints, []);
  }).timeout(30_000);
});
