import assert from 'node:assert/strict';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';
import { sandboxClient } from '../../sandbox/identity/client.ts';
import type { Me, Session } from '../../contracts/entities/index.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { Browser, somebody, toldAt, visit } from '../support/elsewhere.ts';
import { call, expectStatus } from '../support/rest.ts';

const appUrl = 'http://homing.test';

describe('the sandbox’s identity providers', () => {
  let sandbox: Sandbox;
  let app: TestApp;
  before(async () => {
    sandbox = await startSandbox({ appUrl });
    const gitHub = `${sandbox.url}/identity/github`;
    const urls = {
      ...{ authorize: `${gitHub}/login/oauth/authorize`, token: `${gitHub}/login/oauth/access_token` },
      ...{ profile: `${gitHub}/user`, emails: `${gitHub}/user/emails` },
    };
    const providers = [
      { ...sandboxClient, id: 'sandbox', type: 'oidc', issuer: `${sandbox.url}/identity/oidc` },
      { ...sandboxClient, id: 'sandbox-github', type: 'github', urls },
    ];
    const returns = `${sandbox.url}/identity/back`;
    app = await startApp({
      env: { HOMING_OAUTH_PROVIDERS: JSON.stringify(providers), HOMING_OAUTH_RETURNS: returns },
    });
  });
  after(async () => {
    await app.stop();
    await sandbox.close();
  });

  const textOf = async (path: string, headers = {}) => (await fetch(`${sandbox.url}${path}`, { headers })).text();

  for (const provider of ['sandbox', 'sandbox-github'])
    it(`let somebody in by ${provider} who picks who they are`, async () => {
      const browser = new Browser();
      const callback = new URL(await visit(browser, `${app.url}/v1/auth/oauth/${provider}`, somebody()));
      assert.equal(callback.origin, appUrl);
      // The public address is no host of this machine: the browser goes on where the app really is.
      const cookie = [...browser.cookies].find(([name]) => name.startsWith('__Host-homing-oauth'));
      const response = await fetch(`${app.url}${callback.pathname}${callback.search}`, {
        redirect: 'manual',
        headers: { cookie: `__Host-homing-oauth=${cookie?.[1].value}` },
      });
      const told = toldAt(response.headers.get('location') ?? '');
      assert.equal(told.at, `${sandbox.url}/identity/back`);
      const body = { code: told.code };
      const { user } = expectStatus(
        await call<{ user: Me; session: Session }>(app.url, 'POST', '/v1/auth/oauth/exchange', { body }),
        200,
      );
      assert.equal(user.displayName, 'Ana');
    });

  it('have a page to begin at, one to pick at and one to come back to', async () => {
    assert.match(await textOf('/identity/'), /v1\/auth\/oauth\/sandbox-github\?returnTo=/);
    assert.match(await textOf('/identity/back'), /v1\/auth\/oauth\/exchange/);
    const { to } = await new Browser().go(`${app.url}/v1/auth/oauth/sandbox-github`);
    assert.match(await textOf(to.slice(sandbox.url.length)), /Ana Example/);
  });

  it('know one app, and are not there without one', async () => {
    const { to } = await new Browser().go(`${app.url}/v1/auth/oauth/sandbox-github`);
    const elsewhere = new URL(to);
    elsewhere.searchParams.set('redirect_uri', 'https://attacker.example/');
    assert.equal((await new Browser().go(elsewhere.href)).status, 404);
    const without = await startSandbox();
    assert.equal((await fetch(`${without.url}/identity/`)).status, 404);
    await without.close();
  });
});
