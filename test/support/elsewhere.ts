import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import assert from 'node:assert/strict';
import express from 'express';
import pg from 'pg';
import { gitHubProvider } from '../../sandbox/identity/github.ts';
import { makeKey, oidcProvider } from '../../sandbox/identity/oidc.ts';
import { type TestApp, type TestAppOptions, startApp } from '../setup/app.ts';

/** Providers elsewhere, and a deployment that people sign in to by them. */
export interface Elsewhere {
  app: TestApp;
  oidcUrl: string;
  /** What that provider signs with. */
  oidcKey: string;
  /** As the owner of the database. */
  sql: (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
  /** Stands between us and the OpenID Connect provider, for those answers that no honest one gives. */
  interfere: (how: Interference | undefined) => void;
  stop: () => Promise<void>;
}
/** True where it has answered itself. */
type Interference = (request: IncomingMessage, response: ServerResponse) => Promise<boolean> | boolean;

export const returnTo = 'https://app.test/signed-in';
export const otherReturn = 'com.example.app:/signed-in';
const clientId = 'homing';
const clientSecret = 'a secret between these two';

export async function startElsewhere(options: TestAppOptions = {}): Promise<Elsewhere> {
  let interference: Interference | undefined;
  const site = express();
  const server = createServer((request, response) => {
    const answered = interference?.(request, response) ?? false;
    void Promise.resolve(answered).then((done) => done || site(request, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const providers = [
    { id: 'corp', name: 'Corporate', type: 'oidc', issuer: `${url}/oidc` },
    { id: 'rival', type: 'oidc', issuer: `${url}/rival` },
    { id: 'by-form', type: 'oidc', issuer: `${url}/form`, responseMode: 'form_post' },
    { id: 'away', type: 'oidc', issuer: 'http://127.0.0.1:9/nobody' },
    { id: 'github', type: 'github', urls: gitHubUrls(`${url}/github`) },
  ].map((provider) => ({ ...provider, clientId, clientSecret }));
  const env = {
    HOMING_OAUTH_PROVIDERS: JSON.stringify(providers),
    HOMING_OAUTH_RETURNS: `${returnTo}, ${otherReturn}`,
  };
  const app = await startApp({ reports: true, ...options, env: { ...env, ...options.env } });
  const pool = new pg.Pool({ connectionString: app.database.adminUrl, max: 2 });
  const key = makeKey();
  const publicUrl = app.env.HOMING_PUBLIC_URL ?? '';
  const client = (id: string) => ({ clientId, clientSecret, redirectUri: `${publicUrl}/v1/auth/oauth/${id}/callback` });
  site.use('/oidc', oidcProvider(`${url}/oidc`, client('corp'), key));
  site.use('/rival', oidcProvider(`${url}/rival`, client('rival')));
  site.use('/form', oidcProvider(`${url}/form`, client('by-form')));
  site.use('/github', gitHubProvider(client('github')));
  return {
    ...{ app, oidcUrl: `${url}/oidc`, oidcKey: key.export({ type: 'pkcs8', format: 'pem' }) as string },
    sql: async (text, values = []) => (await pool.query<Record<string, unknown>>(text, values)).rows,
    interfere: (how) => (interference = how),
    async stop() {
      await pool.end();
      await app.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}

const gitHubUrls = (url: string) => ({
  ...{ authorize: `${url}/login/oauth/authorize`, token: `${url}/login/oauth/access_token` },
  ...{ profile: `${url}/user`, emails: `${url}/user/emails` },
});

export interface Somebody {
  name?: string;
  email?: string;
  verified?: 'yes' | 'no';
  deny?: 'yes';
}
export const somebody = (name = 'Ana'): Required<Omit<Somebody, 'deny'>> => ({
  ...{ name, email: `${name.toLowerCase()}.${randomBytes(5).toString('hex')}@example.test`, verified: 'yes' },
});

/** What an app keeps, and what it shows of it (RFC 7636). */
export function proofKey(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** A browser: its cookies by name and path, and one step at a time. */
export class Browser {
  readonly cookies = new Map<string, { value: string; path: string; port: string }>();

  async go(address: string, form?: Record<string, string>): Promise<{ status: number; to: string; headers: Headers }> {
    const url = new URL(address);
    const mine = [...this.cookies].filter(([, { path, port }]) => port === url.port && url.pathname.startsWith(path));
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: mine.map(([key, { value }]) => `${key.split(' ')[0]}=${value}`).join('; ') },
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
    });
    for (const line of response.headers.getSetCookie()) this.#take(line, url.port);
    await response.body?.cancel();
    const to = response.headers.get('location') ?? '';
    return { status: response.status, to: to && new URL(to, url).href, headers: response.headers };
  }

  #take(line: string, port: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    const [, path = '/'] = /path=([^;]+)/i.exec(line) ?? [];
    const isGone = /max-age=0|expires=thu, 01 jan 1970/i.test(line);
    if (isGone) this.cookies.delete(`${name} ${path}`);
    else this.cookies.set(`${name} ${path}`, { value, path, port });
  }
}

/** Goes to the provider and picks who one is there; answers with where it sends the browser back to. */
export async function visit(browser: Browser, start: string, who: Somebody): Promise<string> {
  const begun = await browser.go(start);
  assert.equal(begun.status, 302);
  return pickAt(browser, begun.to, who);
}

export async function pickAt(browser: Browser, authorize: string, who: Somebody): Promise<string> {
  let { to } = /github/.test(authorize) ? { to: authorize } : await browser.go(authorize);
  to = (await browser.go(to, who as Record<string, string>)).to;
  for (let steps = 0; steps < 4 && !to.includes('/callback'); steps += 1) ({ to } = await browser.go(to));
  return to;
}

/** What the return address is told. */
export function toldAt(address: string): { at: string; code?: string; error?: string; provider?: string } {
  const [at = '', told = ''] = address.split('#');
  return { at, ...Object.fromEntries(new URLSearchParams(told)) };
}

/** All the way, from the app to the app. */
export async function comeBack(
  { app }: Pick<Elsewhere, 'app'>,
  who: Somebody,
  {
    provider = 'corp',
    query = {},
    browser = new Browser(),
  }: { provider?: string; query?: Record<string, string>; browser?: Browser } = {},
) {
  const start = `${app.url}/v1/auth/oauth/${provider}?${new URLSearchParams(query).toString()}`;
  const callback = await visit(browser, start, who);
  return toldAt((await browser.go(callback)).to);
}
