import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { z } from 'zod';
import { type ProviderAnswer, named, notThere, unreadable } from './answers.ts';
import { type Send, fcmSend, oauthToken, sendGridSend, twilioList, twilioSend, toTwilioMessage } from './faces.ts';
import { page, script, style } from './page.ts';
import { NewRule, type Rule, Rules, TooManyRules } from './rules.ts';
import { type Provider, Store } from './store.ts';

/** Milliseconds that one long poll may wait. */
const maxWaitMs = 120_000;

export interface SandboxOptions {
  /** 0: any free one. */
  port?: number;
  host?: string;
  production?: boolean;
}

export interface Sandbox {
  url: string;
  close(): Promise<void>;
}

/**
 * The provider sandbox: FCM, SendGrid and Twilio as the official SDKs see them, an inbox of what they took, and rules that
 * make them fail. Nothing leaves this machine. Refuses to stand in for anything in production.
 */
export async function startSandbox({
  port = 0,
  host = '127.0.0.1',
  production = false,
}: SandboxOptions = {}): Promise<Sandbox> {
  if (production) throw new Error('The provider sandbox does not run in production.');
  const server = createServer(createApp(new Store(), new Rules()));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const address = server.address() as AddressInfo;
  return { url: `http://${host}:${address.port}`, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Long polls and hanging answers would hold it open.
  server.closeAllConnections();
  return closed;
}

function createApp(store: Store, rules: Rules): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(express.json({ limit: '30mb' }), express.urlencoded({ extended: false, limit: '1mb' }));
  faces(app, store, rules);
  control(app, store, rules);
  inbox(app, store);
  app.use((request, response) => unknownPath(store, request, response));
  app.use(onError);
  return app;
}

/** The providers' own paths. */
function faces(app: Express, store: Store, rules: Rules): void {
  const face = (read: (request: Request) => Send) => (request: Request, response: Response) =>
    take(read(request), request, response, store, rules);
  app.post('/v1/projects/:project/messages\\:send', face(fcmSend));
  app.post('/token', (_request, response) => void response.json(oauthToken()));
  app.post('/v3/mail/send', face(sendGridSend));
  app.get('/v3/scopes', (_request, response) => void response.json({ scopes: ['mail.send'] }));
  app.post('/2010-04-01/Accounts/:account/Messages.json', face(twilioSend));
  app.get(
    '/2010-04-01/Accounts/:account/Messages.json',
    (request, response) => void response.json(twilioList(request, store)),
  );
  app.get('/2010-04-01/Accounts/:account/Messages/:sid.json', (request, response) => {
    const item = store.items({ channel: 'sms' }).find(({ id }) => `SM${id.replaceAll('-', '')}` === request.params.sid);
    if (item) response.json(toTwilioMessage(request, item));
    else give(response, notThere.twilio);
  });
}

/** One send: a rule may act on it, else its own faults or its magic recipient do, else it is taken. */
async function take(send: Send, request: Request, response: Response, store: Store, rules: Rules): Promise<void> {
  const rule = rules.take(send.provider, send.to);
  const note = (status: number | 'cut' | 'hang') =>
    store.note({
      provider: send.provider,
      method: request.method,
      path: request.path,
      to: send.to,
      attemptId: send.attemptId,
      status,
      rule: rule?.id ?? null,
    });
  const action: Partial<Rule['action']> = rule?.action ?? {};
  if ('hang' in action) return note('hang');
  if ('cut' in action) {
    if (action.cut === 'after' && !send.refusal) store.add(send.item);
    note('cut');
    return void request.socket.destroy();
  }
  if ('delayMs' in action) await sleep(action.delayMs);
  const answer = answerOf(action, send, store);
  note(answer.status);
  give(response, answer);
}

function answerOf(action: Rule['action'] | object, send: Send, store: Store): ProviderAnswer {
  if ('error' in action) return named[send.provider][action.error] as ProviderAnswer;
  if ('status' in action)
    return { status: action.status, body: action.body ?? '', ...(action.headers ? { headers: action.headers } : {}) };
  return send.refusal ?? send.accepted(store.add(send.item));
}

function give(response: Response, { status, body, headers = {} }: ProviderAnswer): void {
  response.status(status).set(headers);
  if (typeof body === 'string') response.type('text/html').send(body);
  else response.json(body);
}

const Query = z.strictObject({
  to: z.string().optional(),
  channel: z.enum(['push', 'email', 'sms']).optional(),
  attemptId: z.string().optional(),
  text: z.string().optional(),
  after: z.coerce.number().int().nonnegative().optional(),
});
const WaitQuery = Query.extend({
  count: z.coerce.number().int().min(1).max(1_000).default(1),
  timeoutMs: z.coerce.number().int().min(0).max(maxWaitMs).default(10_000),
});

/** What tests and people steer it by. */
function control(app: Express, store: Store, rules: Rules): void {
  app.get('/healthz', (_request, response) => void response.json({ ok: true }));
  app.get('/inbox.json', (request, response) => void response.json({ items: store.items(Query.parse(request.query)) }));
  app.get('/requests.json', (_request, response) => void response.json({ requests: store.requests() }));
  app.get('/wait', async (request, response) => {
    const { count, timeoutMs, ...filter } = WaitQuery.parse(request.query);
    const { enough, items } = await store.wait(filter, count, timeoutMs);
    response.status(enough ? 200 : 408).json(enough ? { items } : { items, waitedMs: timeoutMs });
  });
  app.post('/clear', (_request, response) => {
    store.clear();
    response.status(204).end();
  });
  app.get('/rules', (_request, response) => void response.json({ rules: rules.list() }));
  app.post('/rules', (request, response) => void response.status(201).json(rules.add(NewRule.parse(request.body))));
  app.delete('/rules', (_request, response) => {
    rules.remove();
    response.status(204).end();
  });
  app.delete(
    '/rules/:id',
    (request, response) => void response.status(rules.remove(request.params.id) ? 204 : 404).end(),
  );
}

/** The page for people. It loads nothing from elsewhere and runs no script but its own. */
function inbox(app: Express, store: Store): void {
  const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'";
  app.get(
    '/',
    (_request, response) => void response.setHeader('content-security-policy', policy).type('html').send(page),
  );
  app.get('/inbox.js', (_request, response) => void response.type('js').send(script));
  app.get('/inbox.css', (_request, response) => void response.type('css').send(style));
  app.get('/events', (request, response) => {
    response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).flushHeaders();
    const tell = (name: string) => (value: unknown) =>
      void response.write(`event: ${name}\ndata: ${JSON.stringify(value ?? null)}\n\n`);
    const listeners = { item: tell('item'), request: tell('request'), clear: tell('clear') };
    for (const [name, listener] of Object.entries(listeners)) store.on(name, listener);
    request.on('close', () => {
      for (const [name, listener] of Object.entries(listeners)) store.off(name, listener);
    });
  });
}

/** Whose path it is. */
function providerOf({ path }: Request): Provider | undefined {
  if (path.startsWith('/v1/projects')) return 'fcm';
  if (path.startsWith('/v3/')) return 'sendgrid';
  return path.startsWith('/2010-04-01/') ? 'twilio' : undefined;
}

function unknownPath(store: Store, request: Request, response: Response): void {
  const provider = providerOf(request) ?? 'unknown';
  const answer = notThere[provider];
  store.note({
    provider,
    method: request.method,
    path: request.path,
    to: null,
    attemptId: null,
    status: answer.status,
    rule: null,
  });
  give(response, answer);
}

// Express knows an error handler by its four parameters.
function onError(error: unknown, request: Request, response: Response, next: NextFunction): void {
  if (response.headersSent) return next(error);
  if (error instanceof z.ZodError) {
    const errors = error.issues.map(({ path, code, message }) => ({ path: path.join('.'), code, message }));
    return void response.status(400).json({ code: 'invalid_input', errors });
  }
  if (error instanceof TooManyRules)
    return void response.status(409).json({ code: 'limit_reached', detail: error.message });
  const status = (error as { status?: number }).status ?? 500;
  const provider = providerOf(request);
  if (status < 500 && provider) return give(response, unreadable[provider]);
  response.status(status).json({ code: status < 500 ? 'malformed' : 'internal' });
}
