import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import twilio from 'twilio';
import { type SandboxOptions, startSandbox } from '../../sandbox/index.ts';
import type { CallbackRecord, Item } from '../../sandbox/store.ts';

export const account = `AC${'a'.repeat(32)}`;
export const service = `MG${'b'.repeat(32)}`;
export const hourMs = 3_600_000;

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  headers: Headers;
}

/** A sandbox of one's own whose clock stands, and how it is asked. */
export async function startStill(options: SandboxOptions = {}) {
  const sandbox = await startSandbox(options);
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${sandbox.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /^[[{]/.test(text) && !response.headers.get('content-type')?.includes('ndjson');
    const parsed = (isJson ? JSON.parse(text) : { text }) as Record<string, unknown>;
    return { status: response.status, body: parsed, headers: response.headers } satisfies Answer;
  };
  await ask('POST', '/clock', { stands: true });
  const basic = `Basic ${Buffer.from(`${account}:secret`).toString('base64')}`;
  return {
    url: sandbox.url,
    close: () => sandbox.close(),
    ask,
    push: (token: string, message: object = {}) =>
      ask('POST', '/v1/projects/p/messages:send', { message: { token, ...message } }, { authorization: 'Bearer x' }),
    mail: (to: string, extra: object = {}) =>
      ask(
        'POST',
        '/v3/mail/send',
        {
          personalizations: [{ to: [{ email: to }] }],
          from: { email: 'homing@example.test' },
          subject: 'Hello',
          content: [{ type: 'text/plain', value: 'canary' }],
          ...extra,
        },
        { authorization: 'Bearer SG.x' },
      ),
    sendGrid: (method: string, path: string, body?: unknown) =>
      ask(method, path, body, { authorization: 'Bearer SG.x' }),
    async text(to: string, fields: Record<string, string> = {}): Promise<Answer> {
      const response = await fetch(`${sandbox.url}/2010-04-01/Accounts/${account}/Messages.json`, {
        method: 'POST',
        headers: { authorization: basic },
        body: new URLSearchParams({ To: to, Body: 'canary', MessagingServiceSid: service, ...fields }),
      });
      const body = (await response.json()) as Record<string, unknown>;
      return { status: response.status, body, headers: response.headers };
    },
    twilio: (method: string, path: string) => ask(method, path, undefined, { authorization: basic }),
    items: async (query = '') => (await ask('GET', `/inbox.json${query}`)).body.items as Item[],
    callbacks: async (query = '') => (await ask('GET', `/callbacks.json${query}`)).body.callbacks as CallbackRecord[],
    async rule(body: object): Promise<string> {
      const { status, body: answer } = await ask('POST', '/rules', body);
      assert.equal(status, 201, JSON.stringify(answer));
      return String(answer.id);
    },
    async webhooks(settings: object): Promise<Record<string, unknown>> {
      const { status, body } = await ask('PATCH', '/webhooks', settings);
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    },
    async advance(ms: number): Promise<void> {
      assert.equal((await ask('POST', '/clock', { advanceMs: ms })).status, 200);
    },
  };
}
export type Still = Awaited<ReturnType<typeof startStill>>;

/** A post as the app would receive it. */
export interface Posted {
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** An app that takes reports and answers as it is told. */
export async function startReceiver() {
  const posted: Posted[] = [];
  const receiver = { url: '', posted, status: 200, close };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      posted.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
      // Looked at with a redirect's status alone.
      response.writeHead(receiver.status, { location: '/elsewhere' }).end();
    });
  });
  async function close(): Promise<void> {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
  await once(server.listen(0, '127.0.0.1'), 'listening');
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return receiver;
}
export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

export const formOf = ({ body }: Posted): Record<string, string> => Object.fromEntries(new URLSearchParams(body));

/** By the documentation of SendGrid's signed event webhook, with Node's own crypto. */
export function isSignedBySendGrid({ headers, body }: Posted, publicKey: string): boolean {
  const signature = Buffer.from(String(headers['x-twilio-email-event-webhook-signature']), 'base64');
  const signed = Buffer.from(`${String(headers['x-twilio-email-event-webhook-timestamp'])}${body}`);
  return verify('sha256', signed, { key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' }, signature);
}

/** By the official library. */
export function isSignedByTwilio(posted: Posted, authToken: string, url: string): boolean {
  return twilio.validateRequest(authToken, String(posted.headers['x-twilio-signature']), url, formOf(posted));
}
